// Ends the process with one plain line when this Node is too old for Passerby. Run it, or import it first.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 14)) {
  console.error(
    `Passerby needs Node 22.14 or later; this is ${process.versions.node} (${process.execPath}).\n` +
      'Run `npm ci` without --omit=optional: it brings a current Node for the npm scripts. Or install one yourself.',
  );
  process.exit(1);
}
