import { LIMITS, type HandshakeAuth } from '@passerby/sdk/protocol';
import { z } from 'zod';
import * as ids from './ids.ts';
import { schemaFor } from './schema-for.ts';

/** The `auth` of a CONNECT packet. Unknown keys are dropped: a newer client may send more, and the version decides. */
export const handshakeAuth = schemaFor<HandshakeAuth>()(
  z.object({
    version: z.int().min(1),
    resume: ids.resumeToken.exactOptional(),
    claims: z.string().min(1).max(LIMITS.claimsMaxChars).exactOptional(),
  }),
);
