/** The address, or `null` if it is none. `URL.canParse` is younger than the oldest browsers that this is for. */
export function parseUrl(text: string, base?: string): URL | null {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}
