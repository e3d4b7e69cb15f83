import { LIMITS } from '@passerby/sdk';

/** Normalises an interest as the service does. */
export function tidyInterest(text: string): string {
  return text.trim().toLowerCase().replace(/\s+/g, ' ').slice(0, LIMITS.interestMaxChars).trim();
}

/** Returns `all` with `interest` added or removed. Nothing is added beyond `LIMITS.interestsMax`. */
export function toggleInterest(all: readonly string[], interest: string): readonly string[] {
  if (all.includes(interest)) return all.filter((other) => other !== interest);
  return all.length < LIMITS.interestsMax && interest !== '' ? [...all, interest] : all;
}

/**
 * Returns the languages of the browser as the service accepts them: without regions, each once, at most
 * `LIMITS.languagesMax`.
 */
export function spokenLanguages(tags: readonly string[]): readonly string[] {
  return [...new Set(tags.map((tag) => tag.split('-')[0]!.toLowerCase()).filter(Boolean))].slice(
    0,
    LIMITS.languagesMax,
  );
}
