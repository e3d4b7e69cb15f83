import { describe, expect, it } from 'vitest';
import { Refusal } from '../../errors.ts';
import { isScriptFault, storeFaultOf } from './store-fault.ts';

const withCode = (code: string) => Object.assign(new Error('of the operating system'), { code });

describe('fault of a store', () => {
  it.each([
    ["READONLY You can't write against a read only replica. script: 1f, on @user_script:16.", 'READONLY'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'OOM'],
    ['MISCONF Redis is configured to save RDB snapshots, but it is unable to persist to disk.', 'MISCONF'],
    ['NOREPLICAS Not enough good replicas to write.', 'NOREPLICAS'],
    ['CLUSTERDOWN Hash slot not served', 'CLUSTERDOWN'],
    ['TRYAGAIN Multiple keys request during rehashing of slot', 'TRYAGAIN'],
    ['MOVED 866 127.0.0.1:7001', 'MOVED'],
    ['ASK 866 127.0.0.1:7001', 'MOVED'],
    ['LOADING Redis is loading the dataset in memory', 'LOADING'],
    ['NOAUTH HELLO must be called with the client already authenticated', 'NOAUTH'],
    ['WRONGPASS invalid username-password pair or user is disabled.', 'WRONGPASS'],
    ["NOPERM User passerby has no permissions to run the 'evalsha' command", 'NOPERM'],
    [
      "ERR The user executing the script can't run this command or subcommand script: 1f, on @user_script:16.",
      'NOPERM',
    ],
    [
      "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments script: 1f",
      'NOPERM',
    ],
    ["ERR ACL failure in script: User passerby has no permissions to run the 'zadd' command script: 1f", 'NOPERM'],
    ["NOPERM ACL failure in script: User passerby has no permissions to run the 'zadd' command", 'NOPERM'],
    ['ERR The user of a script', 'UNKNOWN'],
    ['Too many Cluster redirections. Last error: ReplyError: CLUSTERDOWN The cluster is down', 'CLUSTERDOWN'],
    ['Too many Cluster redirections. Last error: Error: Connection is closed.', 'CLOSED'],
    ['All sentinels are unreachable. Retrying from scratch after 10ms.', 'NO_MASTER'],
    ['Command timed out', 'TIMEOUT'],
    ["Socket timeout. Expecting data, but didn't receive any in 1500ms.", 'TIMEOUT'],
    ["Stream isn't writeable and enableOfflineQueue options is false", 'CLOSED'],
    ['ERR unknown command', 'UNKNOWN'],
  ])('is read from “%s”: %s', (message, fault) => {
    expect(storeFaultOf(new Error(message))).toBe(fault);
  });

  it.each([
    ['ECONNREFUSED', 'ECONNREFUSED'],
    ['ETIMEDOUT', 'TIMEOUT'],
    ['EPIPE', 'ECONNRESET'],
    ['EAI_AGAIN', 'ENOTFOUND'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'TLS'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'TLS'],
    ['EMFILE', 'UNKNOWN'],
  ])('is read from the code %s: %s', (code, fault) => {
    expect(storeFaultOf(withCode(code))).toBe(fault);
  });

  it('is that of the cause of a refusal, and of the last node of a Cluster', () => {
    const cause = new Error('OOM command not allowed');
    expect(storeFaultOf(new Refusal('unavailable', { cause }))).toBe('OOM');
    const lastNodeError = withCode('ECONNREFUSED');
    expect(storeFaultOf(Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError }))).toBe(
      'ECONNREFUSED',
    );
  });

  it('is DATABASE if SELECT was refused', () => {
    const error = Object.assign(new Error('ERR DB index is out of range'), { command: { name: 'select' } });
    expect(storeFaultOf(error)).toBe('DATABASE');
  });

  it('is UNKNOWN for anything but an error', () => {
    expect([undefined, 'OOM', { message: 'OOM' }].map(storeFaultOf)).toEqual(['UNKNOWN', 'UNKNOWN', 'UNKNOWN']);
  });
});

describe('error of a script', () => {
  it.each([
    ["ERR user_script:12: attempt to index local 'seat' (a nil value) script: 1f, on @user_script:12.", true],
    ['ERR Error running script (call to f_1f): @user_script:3: user_script:3: unfinished', true],
    ["ERR The user executing the script can't run this command or subcommand script: 1f, on @user_script:16.", false],
    ["READONLY You can't write against a read only replica. script: 1f, on @user_script:16.", false],
    ['Command timed out', false],
  ])('is distinguished from a temporary one: “%s”', (message, isOfScript) => {
    expect(isScriptFault(new Error(message))).toBe(isOfScript);
  });
});
