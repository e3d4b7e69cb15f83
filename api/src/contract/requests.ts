import {
  LIMITS,
  REPORT_REASONS,
  type Empty,
  type FindPayload,
  type RequestName,
  type RequestPayload,
} from '@passerby/sdk/protocol';
import { z } from 'zod';
import * as ids from './ids.ts';
import { SOLUTION_MAX_CHARS } from './packet-sizes.ts';
import { schemaFor } from './schema-for.ts';
import { freeText } from './text.ts';

const tag = z.string().trim().min(1).max(LIMITS.interestMaxChars);

const criteria = {
  interests: z.array(tag).max(LIMITS.interestsMax).exactOptional(),
  languages: z.array(z.string().trim().min(1).max(LIMITS.languageMaxChars)).max(LIMITS.languagesMax).exactOptional(),
  topic: z.string().trim().min(1).max(LIMITS.topicMaxChars).exactOptional(),
  is: tag.exactOptional(),
  seeks: z.array(tag).max(LIMITS.seeksMax).exactOptional(),
};

const empty = schemaFor<Empty>()(z.strictObject({}).transform((): Empty => ({})));

const find = schemaFor<FindPayload>()(z.strictObject({ requestId: ids.requestId, ...criteria }));

/** Schemas of all requests, exhaustive by type. Unknown keys are refused. */
export const REQUEST_SCHEMAS: { readonly [Name in RequestName]: z.ZodType<RequestPayload<Name>> } = {
  'match:find': find,
  'match:cancel': empty,
  'conversation:leave': schemaFor<RequestPayload<'conversation:leave'>>()(
    z.strictObject({
      conversationId: ids.conversationId,
      next: z.strictObject({ requestId: ids.requestId, ...criteria }).exactOptional(),
    }),
  ),
  'conversation:block': schemaFor<RequestPayload<'conversation:block'>>()(
    z.strictObject({ conversationId: ids.conversationId }),
  ),
  'conversation:report': schemaFor<RequestPayload<'conversation:report'>>()(
    z.strictObject({
      conversationId: ids.conversationId,
      reason: z.enum(REPORT_REASONS),
      comment: freeText().trim().max(LIMITS.commentMaxChars).exactOptional(),
      messages: z
        .array(
          z.strictObject({
            from: z.enum(['me', 'peer']),
            text: z.string().min(1).max(LIMITS.textMaxChars).pipe(freeText()),
          }),
        )
        .max(LIMITS.reportMessagesMax)
        .exactOptional(),
    }),
  ),
  'session:agree': schemaFor<RequestPayload<'session:agree'>>()(
    z.strictObject({
      rules: z.string().min(1).max(40).exactOptional(),
      ageBand: z.string().min(1).max(LIMITS.ageBandMaxChars).exactOptional(),
    }),
  ),
  'session:challenge': empty,
  'session:prove': schemaFor<RequestPayload<'session:prove'>>()(
    z.strictObject({ solution: z.string().min(1).max(SOLUTION_MAX_CHARS) }),
  ),
  'session:check': empty,
  'session:close': empty,
};
