import { LIMITS } from '@passerby/sdk';

/** An interest as the service will read it. */
export function tidyInterest(text: string): string {
  return text.trim().toLowerCase().replace(/\s+/g, ' ').slice(0, LIMITS.interestMaxChars).trim();
}

/** `all` with `interest` in it or out of it. What is over the bound is not taken in. */
export function toggleInterest(all: readonly string[], interest: string): readonly string[] {
  if (all.includes(interest)) return all.filter((other) => other !== interest);
  return all.length < LIMITS.interestsMax && interest !== '' ? [...all, interest] : all;
}

/** Returns the visitor's languages of the browser, as the service takes them: without regions, each once, and no more. */
export function spokenLanguages(tags: readonly string[]): readonly string[] {
  return [...new Set(tags.map((tag) => tag.split('-')[0]!.toLowerCase()).filter(Boolean))].slice(
    0,
    LIMITS.languagesMax,
  );
}
