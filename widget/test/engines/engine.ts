/** Browser with another engine than in the regular tests, with one page. */
export interface Engine extends AsyncDisposable {
  goto(url: string): Promise<void>;
  reload(): Promise<void>;
  back(): Promise<void>;
  /** Evaluates an expression in the page, which may be a promise. Its value has to be JSON. */
  evaluate(expression: string): Promise<unknown>;
  /** Presses keys one after another: a name such as `Tab`, or a character. */
  press(...keys: readonly string[]): Promise<void>;
  /** Takes a screenshot of the page, as PNG. */
  screenshot(): Promise<Uint8Array>;
}

/** Characters that WebDriver assigns to keys that have none. https://www.w3.org/TR/webdriver2/#keyboard-actions */
const KEYS: Readonly<Record<string, string>> = { Tab: '\uE004', Enter: '\uE006', Escape: '\uE00C' };

/** Actions of WebDriver, classic and BiDi, that press keys. */
export const keyActions = (keys: readonly string[]) => ({
  type: 'key',
  id: 'keyboard',
  actions: keys.flatMap((key) => {
    const value = KEYS[key] ?? key;
    return [
      { type: 'keyDown', value },
      { type: 'keyUp', value },
    ];
  }),
});
