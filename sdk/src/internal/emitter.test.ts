import { afterEach, describe, expect, test, vi } from 'vitest';
import { Emitter } from './emitter.ts';

interface Events {
  said: string;
  counted: number;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('emitter', () => {
  test('calls every listener of the event, and no other', () => {
    const emitter = new Emitter<Events>();
    const heard: string[] = [];
    emitter.on('said', (text) => heard.push(`a ${text}`));
    emitter.on('said', (text) => heard.push(`b ${text}`));
    emitter.on('counted', () => heard.push('never'));
    emitter.emit('said', 'hi');
    expect(heard).toEqual(['a hi', 'b hi']);
  });

  test('calls a listener that was added twice twice, and each undo removes one', () => {
    const emitter = new Emitter<Events>();
    const listener = vi.fn();
    const undo = emitter.on('said', listener);
    emitter.on('said', listener);
    emitter.emit('said', 'one');
    expect(listener).toHaveBeenCalledTimes(2);
    undo();
    undo();
    emitter.emit('said', 'two');
    expect(listener).toHaveBeenCalledTimes(3);
  });

  test('reports a throwing listener, and calls the others', () => {
    const reportError = vi.fn();
    vi.stubGlobal('reportError', reportError);
    const emitter = new Emitter<Events>();
    const other = vi.fn();
    const bug = new Error('bug in the page');
    emitter.on('said', () => {
      throw bug;
    });
    emitter.on('said', other);
    expect(() => emitter.emit('said', 'hi')).not.toThrow();
    expect(other).toHaveBeenCalledOnce();
    expect(reportError).toHaveBeenCalledWith(bug);
  });

  test('throws the error in a task of its own without reportError', () => {
    vi.stubGlobal('reportError', undefined);
    const queued: (() => void)[] = [];
    vi.stubGlobal('queueMicrotask', (run: () => void) => queued.push(run));
    const emitter = new Emitter<Events>();
    emitter.on('said', () => {
      throw new Error('bug in the page');
    });
    emitter.emit('said', 'hi');
    expect(queued[0]).toThrow('bug in the page');
  });

  test('emits nested events after the present one, for every listener', () => {
    const emitter = new Emitter<Events>();
    const heard: unknown[] = [];
    emitter.on('said', () => {
      emitter.emit('counted', 1);
    });
    emitter.on('said', (text) => heard.push(text));
    emitter.on('counted', (number) => heard.push(number));
    emitter.emit('said', 'first');
    expect(heard).toEqual(['first', 1]);
  });

  test('does not call a listener that was removed meanwhile', () => {
    const emitter = new Emitter<Events>();
    const second = vi.fn();
    let undo = (): void => undefined;
    emitter.on('said', () => {
      undo();
    });
    undo = emitter.on('said', second);
    emitter.emit('said', 'hi');
    expect(second).not.toHaveBeenCalled();
  });

  test('emits nothing and accepts no listener after close', () => {
    const emitter = new Emitter<Events>();
    const listener = vi.fn();
    emitter.on('said', listener);
    emitter.close();
    emitter.on('said', listener);
    emitter.emit('said', 'hi');
    expect(listener).not.toHaveBeenCalled();
  });

  test('delivers events that were emitted before a listener closed it', () => {
    const emitter = new Emitter<Events>();
    const last = vi.fn();
    emitter.on('said', () => {
      emitter.emit('counted', 1);
      emitter.close();
      emitter.emit('counted', 2);
    });
    emitter.on('counted', last);
    emitter.emit('said', 'hi');
    expect(last.mock.calls).toEqual([[1]]);
  });
});
