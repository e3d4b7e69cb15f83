/** Help text: one line per command, with its options below. */
export const HELP = `Passerby: a chat with a stranger that any web page can have with one tag.

npx @passerby/api                     serves, until it is told to stop
npx @passerby/api site …

  add NAME                            a new site, with its keys
    --origin https://my.site          a page that may use it; as many as you like
    --id site_…                       its id, if you want to choose it
    --url https://chat.my.site        where visitors reach the service, for the tag to paste
  list                                all sites
  show ID                             one site, with its origins and keys
  rename ID NAME
  disable ID, enable ID               nobody can use a disabled site
  origin add ID ORIGIN
  origin remove ID ORIGIN
  origin list ID
  key add ID                          one more key
    --kind publishable|secret         (publishable)
    --mode live|test                  (live)
  key rotate ID                       a new key; the former ones are good for a while longer
    --kind, --mode                    as above
    --overlap 24h                     how much longer, 30d at most: 0, 90s, 15m, 24h, 7d (24h)
  key revoke KEY_ID                   at once, everywhere and for good; by its id, such as key_0mcx…
  key list ID
  policy get ID                       the settings, as JSON
  policy set ID FILE                  replaces them by those of a JSON file, or of what is piped in for -

--json answers in JSON. DATABASE_URL or DATA_DIR say where the records are, as for the service; it may be running.
`;
