/** A browser of another engine than the everyday tests', with one page. */
export interface Engine extends AsyncDisposable {
  goto(url: string): Promise<void>;
  reload(): Promise<void>;
  back(): Promise<void>;
  /** The value of an expression in the page, which may be a promise. Has to fit into JSON. */
  evaluate(expression: string): Promise<unknown>;
  /** Presses keys one after another: a name such as `Tab`, or a character. */
  press(...keys: readonly string[]): Promise<void>;
  /** The page as PNG. */
  screenshot(): Promise<Uint8Array>;
}

/** The characters that WebDriver gives keys without one. https://www.w3.org/TR/webdriver2/#keyboard-actions */
const KEYS: Readonly<Record<string, string>> = { Tab: '\uE004', Enter: '\uE006', Escape: '\uE00C' };

/** What WebDriver, classic and bidirectional, takes for presses of keys. */
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
