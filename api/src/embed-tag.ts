/** The tag that embeds the chat, to paste into a page. `base` is where visitors reach the service. */
export function embedTag(base: string, key: string): string {
  return `<script async src="${base.replace(/\/+$/, '')}/widget.js" data-site="${key}"></script>`;
}
