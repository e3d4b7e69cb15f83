/** Holder of the present snapshot: an immutable object that is replaced when something in it changes, and only then. */
export class SnapshotStore<Snapshot extends object> {
  readonly #comparedByIdentity: keyof Snapshot;
  current: Readonly<Snapshot>;

  /** `comparedByIdentity` names the field that is too large to be compared by what it says. */
  constructor(initial: Snapshot, comparedByIdentity: keyof Snapshot) {
    this.current = initial;
    this.#comparedByIdentity = comparedByIdentity;
  }

  /** Replaces the fields of `patch`; a value that says the same as the former one is dropped. Returns whether anything changed. */
  update(patch: Partial<Snapshot>): boolean {
    const former = this.current;
    const next = { ...former, ...patch };
    let isChanged = false;
    for (const name in patch) {
      const isSame =
        next[name] === former[name] ||
        (name !== this.#comparedByIdentity && JSON.stringify(next[name]) === JSON.stringify(former[name]));
      if (isSame) next[name] = former[name];
      else isChanged = true;
    }
    if (isChanged) this.current = next;
    return isChanged;
  }
}
