/** Values of `sslmode`. */
const SSL_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'] as const;

/**
 * Checks that a PostgreSQL URL is valid, user and password included. Throws an `Error` that says what it must be and
 * never quotes it, since it may hold a password.
 */
export function checkDatabaseUrl(text: string): void {
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text))
    throw new Error('an address such as postgres://user:password@host:5432/database');
  const { username, password, hostname, pathname, searchParams } = new URL(text);
  if (![username, password, hostname, pathname].every(isDecodable))
    throw new Error('an address whose user, password and database are percent-encoded UTF-8');
  const sslMode = searchParams.get('sslmode');
  if (sslMode !== null && !SSL_MODES.some((mode) => mode === sslMode))
    throw new Error(`an address whose sslmode is one of ${SSL_MODES.join(', ')}`);
}

/** Returns whether a part can be percent-decoded. A `%` that begins no code stands for itself, as in `pg`. */
function isDecodable(part: string): boolean {
  try {
    decodeURIComponent(part.replaceAll(/%(?![0-9a-f]{2})/gi, '%25'));
    return true;
  } catch {
    // That is the answer.
    return false;
  }
}

/**
 * Returns the URL with `verify-full` in place of three modes that `pg` treats alike, with a warning: that is intended,
 * and the warning would be several lines at every start.
 */
export function withPlainSslMode(url: string): string {
  return url.includes('uselibpqcompat')
    ? url
    : url.replace(/([?&]sslmode=)(?:prefer|require|verify-ca)(?=&|$)/, '$1verify-full');
}
