/** The text without the secret keys (`sk_…`) in it: errors end up in consoles and error trackers. */
export function withoutSecrets(text: string): string {
  return text.replace(/sk_[\w-]+/g, 'sk_…');
}
