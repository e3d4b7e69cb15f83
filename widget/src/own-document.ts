/** Returns a property of the document itself, which elements of the page such as `<img name="body">` can shadow. */
export const ownDocument = <Name extends keyof Document>(name: Name): Document[Name] =>
  Reflect.get(Document.prototype, name, document);
