import { z } from 'zod';
import { exactText } from '../../contract/text.ts';
import { keyKind, keyMode, newSite, originEntry, overlapMs, siteId, siteName } from '../../sites/input-schemas.ts';
import { settings } from '../../sites/settings.ts';
import type { SiteService } from '../../sites/site-service.ts';
import { operation, type Operation } from './operation.ts';
import { keyShape, newKeyShape, siteShape } from './shapes.ts';

const DAY_MS = 24 * 60 * 60_000;
const path = z.strictObject({ site: siteId });

/** Operations on sites, their origins, settings and keys. */
export function siteOperations(sites: SiteService): readonly Operation[] {
  return [
    operation({
      route: 'GET /sites',
      id: 'listSites',
      summary: 'Lists all sites, oldest first',
      answer: z.strictObject({ items: z.array(siteShape) }),
      run: async () => ({ items: [...(await sites.list())] }),
    }),
    operation({
      route: 'POST /sites',
      id: 'addSite',
      summary: 'Creates a site, with a publishable key for each mode and a secret one',
      body: newSite,
      answer: z.strictObject({ site: siteShape, keys: z.array(newKeyShape) }),
      status: 201,
      run: async ({ body }) => {
        const { site, keys } = await sites.add(body);
        return { site, keys: [...keys] };
      },
    }),
    operation({
      route: 'GET /sites/{site}',
      id: 'getSite',
      summary: 'Returns one site',
      path,
      answer: siteShape,
      run: ({ path: { site } }) => sites.get(site),
    }),
    operation({
      route: 'PATCH /sites/{site}',
      id: 'changeSite',
      summary: 'Renames, disables or enables a site',
      path,
      body: z
        .strictObject({ name: siteName.optional(), isDisabled: z.boolean().optional() })
        .refine(({ name, isDisabled }) => name !== undefined || isDisabled !== undefined, 'name, isDisabled or both'),
      answer: siteShape,
      run: ({ path: { site }, body: { name, isDisabled } }) =>
        sites.set(site, { ...(name !== undefined && { name }), ...(isDisabled !== undefined && { isDisabled }) }),
    }),
    operation({
      route: 'PUT /sites/{site}/settings',
      id: 'setSettings',
      summary: 'Replaces all settings; a field that is left out gets its default',
      path,
      body: settings,
      answer: siteShape,
      run: ({ path: { site }, body }) => sites.setPolicy(site, body),
    }),
    operation({
      route: 'POST /sites/{site}/origins',
      id: 'addOrigin',
      summary: 'Adds an origin that may embed the chat',
      path,
      body: z.strictObject({ origin: originEntry }),
      answer: siteShape,
      status: 201,
      run: ({ path: { site }, body: { origin } }) => sites.addOrigin(site, origin),
    }),
    operation({
      route: 'DELETE /sites/{site}/origins',
      id: 'removeOrigin',
      summary: 'Removes an origin',
      path,
      query: z.strictObject({ origin: exactText().max(300) }),
      answer: siteShape,
      run: ({ path: { site }, query: { origin } }) => sites.removeOrigin(site, origin),
    }),
    operation({
      route: 'POST /sites/{site}/keys',
      id: 'addKey',
      summary: 'Adds a key; the others stay valid',
      path,
      body: z.strictObject({ kind: keyKind, mode: keyMode }),
      answer: newKeyShape,
      status: 201,
      run: ({ path: { site }, body: { kind, mode } }) => sites.addKey(site, kind, mode),
    }),
    operation({
      route: 'POST /sites/{site}/keys/rotation',
      id: 'rotateKey',
      summary: 'Adds a key, and ends the former ones after the overlap',
      path,
      body: z.strictObject({ kind: keyKind, mode: keyMode, overlapMs: overlapMs.default(DAY_MS) }),
      answer: newKeyShape,
      status: 201,
      run: ({ path: { site }, body }) => sites.rotateKey(site, body.kind, body.mode, body.overlapMs),
    }),
    operation({
      route: 'DELETE /keys/{key}',
      id: 'revokeKey',
      summary: 'Revokes a key at once, on every node, and closes the connections made with it',
      path: z.strictObject({ key: exactText().max(100) }),
      answer: keyShape,
      run: ({ path: { key } }) => sites.revokeKey(key),
    }),
  ];
}
