import type { Clock } from '../clock.ts';
import { auditNoteOf } from '../records/audit.ts';
import type { AuditAction } from '../records/column-values.ts';
import type { Records, Stores } from '../records/records.ts';
import { UnreadableRow } from '../records/row-check.ts';
import type { SiteSeed } from './sites-file.ts';
import { writeSettings } from './settings.ts';

/**
 * Writes the sites of a sites file to the records: new ones are added, others get the name, the origins and the
 * settings of the file. A disabled site or revoked key stays so, and what was removed from the file is kept. Nothing is
 * written if nothing differs, so that any number of nodes may start at any time. A site that cannot be read in the
 * records is skipped. Throws an `Error` if a key in the file belongs to another site.
 */
export async function seedSites(records: Records, seeds: readonly SiteSeed[], clock: Clock): Promise<void> {
  for (const seed of seeds) {
    try {
      await records.change((stores) => seedOne(stores, seed, clock()));
    } catch (thrown) {
      // The log names the row. That site is disabled, and the others are served.
      if (!(thrown instanceof UnreadableRow)) throw thrown;
    }
  }
}

async function seedOne(stores: Stores, seed: SiteSeed, now: number): Promise<void> {
  const { id, name, origins } = seed;
  const add = auditNoteOf('sites-file', () => now);
  const note = (action: AuditAction, subject: string | null = null) => add(stores, action, id, subject);
  const policy = writeSettings(seed.settings);
  const site = await stores.sites.get(id);
  if (site === undefined) {
    await stores.sites.add({ id, name, createdAt: now, origins, policy });
    await note('site.add');
  } else {
    if (site.name !== name) {
      await stores.sites.set(id, { name });
      await note('site.rename');
    }
    if (site.policy !== policy) {
      await stores.sites.setPolicy(id, policy);
      await note('site.policy');
    }
    if (JSON.stringify(site.origins) !== JSON.stringify(origins)) {
      await stores.sites.setOrigins(id, origins);
      for (const origin of origins) if (!site.origins.includes(origin)) await note('origin.add', origin);
      for (const origin of site.origins) if (!origins.includes(origin)) await note('origin.remove', origin);
    }
  }
  const key = await stores.keys.byValue(seed.key);
  if (key !== undefined && key.site !== id) throw new Error(`SITES_FILE: ${seed.key} is the key of another site`);
  if (key === undefined) {
    const mode = seed.key.startsWith('pk_live_') ? 'live' : 'test';
    const keyId = stores.ids.next('key');
    const value = seed.key;
    await stores.keys.add({ id: keyId, site: id, kind: 'publishable', mode, value, hint: value, createdAt: now });
    await note('key.add', keyId);
  }
}
