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
  test('calls every listener of the event, and only of it', () => {
    const emitter = new Emitter<Events>();
    const heard: string[] = [];
    emitter.on('said', (text) => heard.push(`a ${text}`));
    emitter.on('said', (text) => heard.push(`b ${text}`));
    emitter.on('counted', () => heard.push('never'));
    emitter.emit('said', 'hi');
    expect(heard).toEqual(['a hi', 'b hi']);
  });

  test('the same listener twice is called twice, and each undo undoes its own', () => {
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

  test('a listener that throws is reported and does not keep the others from hearing', () => {
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

  test('without reportError the error is thrown where nobody of ours is', () => {
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

  test('what is emitted by a listener comes after what made it, for every listener', () => {
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

  test('a listener taken away while others run is not called any more', () => {
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

  test('after close nothing is heard, and nobody can listen', () => {
    const emitter = new Emitter<Events>();
    const listener = vi.fn();
    emitter.on('said', listener);
    emitter.close();
    emitter.on('said', listener);
    emitter.emit('said', 'hi');
    expect(listener).not.toHaveBeenCalled();
  });

  test('what was emitted before a listener closed still arrives', () => {
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
