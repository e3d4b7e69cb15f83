/**
 * Contract between the SDK and the service: types and constants, nothing else. It imports nothing, so that a browser
 * loads only what it uses.
 */
export * from './errors.ts';
export * from './frame.ts';
export * from './http.ts';
export * from './ids.ts';
export * from './limits.ts';
export * from './policy.ts';
export * from './pushes.ts';
export * from './requests.ts';
export * from './socket-events.ts';
export * from './version.ts';
