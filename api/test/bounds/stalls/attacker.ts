/** A process that attacks the service until it is ended: `attacker.ts ATTACK TARGET`. Says when it has begun. */
import { ATTACKS } from './attacks.ts';
import type { Target } from './target.ts';

const [name = '', target = ''] = process.argv.slice(2);
const attack = ATTACKS[name];
if (attack === undefined) throw new Error(`there is no attack "${name}"; there are ${Object.keys(ATTACKS).join(', ')}`);
await attack(JSON.parse(target) as Target);
process.stdout.write('begun\n');
