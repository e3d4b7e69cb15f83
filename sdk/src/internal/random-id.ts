const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';

/** `chars` characters of 6 random bits each. Not `crypto.randomUUID`: that one is missing on pages served over plain HTTP. */
export function randomId(chars: number): string {
  let id = '';
  for (const byte of crypto.getRandomValues(new Uint8Array(chars))) id += ALPHABET.charAt(byte & 63);
  return id;
}
