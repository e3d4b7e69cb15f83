/** Place of the records. */
export type RecordsPlace =
  | { readonly kind: 'sqlite'; readonly folder: string }
  /** `url` may hold a password: it is never shown. */
  | { readonly kind: 'postgres'; readonly url: string };
