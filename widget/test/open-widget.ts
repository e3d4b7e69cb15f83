import { onTestFinished } from 'vitest';
import { FakeChat } from './fake-chat.ts';

// The built file: what is tested is what is served.
await import('../dist/passerby-chat.js' as string);

/** Adds a widget to the page, removed after the test, with a fake chat that `prepare` sets up. */
export function addWidget(attributes: Readonly<Record<string, string>> = {}, prepare?: (chat: FakeChat) => void) {
  const chat = new FakeChat();
  prepare?.(chat);
  const element = document.createElement('passerby-chat');
  for (const [name, value] of Object.entries({ site: 'pk_test_test', ...attributes }))
    element.setAttribute(name, value);
  element.chat = chat;
  document.body.append(element);
  onTestFinished(() => element.remove());
  const find = <Kind extends HTMLElement>(selector: string) => element.shadowRoot!.querySelector<Kind>(selector)!;
  return { chat, element, find };
}

/** Adds a widget in the same way, and opens it. */
export function openWidget(attributes: Readonly<Record<string, string>> = {}, prepare?: (chat: FakeChat) => void) {
  const widget = addWidget(attributes, prepare);
  widget.element.open();
  return widget;
}
