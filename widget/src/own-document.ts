/** A property of the document itself: elements of the page, such as `<img name="body">`, stand in front of it. */
export const ownDocument = <Name extends keyof Document>(name: Name): Document[Name] =>
  Reflect.get(Document.prototype, name, document);
