import { changed, type Mutant } from './change.ts';
import { defineScript, libraryText, readLua, type Script } from '../../../src/state/redis/script.ts';
import type { SCRIPTS } from '../../../src/state/redis/scripts.ts';
import { standingScripts } from '../worlds.ts';

/** Known-bad variants of the scripts, by replacements in their text. `library` is all of `lib/`. */
export const REDIS_MUTANTS: readonly Mutant[] = [
  {
    name: 'a visitor is their own candidate',
    changes: [
      {
        file: 'library',
        from: 'local found, seen, found_by = {}, { [sid] = true }, {}',
        to: 'local found, seen, found_by = {}, {}, {}',
      },
    ],
  },
  {
    name: 'an end clears one side of the pair',
    changes: [
      {
        file: 'library',
        from: "session.conversationId, session.matchedBy, session.endReason = '', '', told",
        to: "if sid == conversation.firstId then session.conversationId, session.matchedBy, session.endReason = '', '', told end",
      },
    ],
  },
  {
    name: 'a block holds one way',
    changes: [
      { file: 'block', from: 'pair_key(A.session, session.lastPeerId)', to: "A.session .. ' ' .. session.lastPeerId" },
    ],
  },
  {
    name: 'a block is not kept',
    changes: [
      { file: 'block', from: "redis.call('ZADD', K.blocks, at, pair_key(A.session, session.lastPeerId))", to: '' },
    ],
  },
  {
    name: "a node's lease is not looked at",
    changes: [
      { file: 'library', from: "(tonumber(redis.call('ZSCORE', K.nodes, candidate.nodeId) or 0)) > at", to: 'true' },
    ],
  },
  {
    name: 'visitors of a dead node stay connected',
    changes: [
      {
        file: 'sweep',
        from: 'if session and session.awaySince == 0 and session.nodeId == node then suspend(sid, session, at) end',
        to: '',
      },
    ],
  },
  {
    name: 'dead nodes are seen to after matching',
    changes: [
      { file: 'sweep', from: 'due_of(K.nodes, at)', to: '{}' },
      {
        file: 'sweep',
        from: "return { 'swept',",
        to: `for _, node in ipairs(redis.call('ZRANGEBYSCORE', K.nodes, '-inf', at, 'LIMIT', 0, max)) do
          for _, member in ipairs(redis.call('ZRANGEBYLEX', K.placed, '[' .. node .. '\\0', '(' .. node .. '\\1', 'LIMIT', 0, max)) do
            local sid = string.sub(member, #node + 2)
            local session = whole(sid, read_session(sid), at)
            if session and session.awaySince == 0 then suspend(sid, session, at) end
            redis.call('ZREM', K.placed, member)
          end
          redis.call('ZREM', K.nodes, node)
        end
        return { 'swept',`,
      },
    ],
  },
  {
    name: 'who is back in the queue gets a new place',
    changes: [
      { file: 'library', from: 'wait.nodeId = session.nodeId', to: 'wait.nodeId, wait.since = session.nodeId, at' },
    ],
  },
  {
    name: 'looking with other words loses the place',
    changes: [{ file: 'library', from: 'since = before and before.since or at,', to: 'since = at,' }],
  },
  {
    name: 'a match that lapses gives back both sides',
    changes: [{ file: 'library', from: 'if is_confirmed and session then', to: 'if session then' }],
  },
  {
    name: 'a match never lapses',
    changes: [{ file: 'library', from: "redis.call('ZADD', K.pendingMatches, conversation.lapsesAt, cid)", to: '' }],
  },
  {
    name: 'one confirmation is enough',
    changes: [
      {
        file: 'confirm',
        from: 'if conversation.hasFirstConfirmed and conversation.hasSecondConfirmed then',
        to: 'if conversation.hasFirstConfirmed or conversation.hasSecondConfirmed then',
      },
    ],
  },
  {
    name: 'a conversation can end twice',
    changes: [
      {
        file: 'library',
        from: "redis.call('HDEL', K.conversations, cid)\n  redis.call('ZREM'",
        to: "redis.call('ZREM'",
      },
    ],
  },
  {
    name: 'leaving tells the one who leaves only',
    changes: [
      {
        file: 'library',
        from: '    tell_ended(sid, session, cid, told)',
        to: '    if by == nil or by == sid then tell_ended(sid, session, cid, told) end',
      },
    ],
  },
  {
    name: 'cancelling does not see a match',
    changes: [
      {
        file: 'cancel',
        from: "if session.conversationId ~= '' then return { 'cancelled', 'already_matched' } end\n",
        to: '',
      },
    ],
  },
  {
    name: 'who is in a conversation may look for another',
    changes: [
      {
        file: 'library',
        from: "if session.conversationId ~= '' then\n    return session.matchedBy == ticket",
        to: 'if false then\n    return session.matchedBy == ticket',
      },
    ],
  },
  {
    name: 'a resume token is good for ever',
    changes: [
      {
        file: 'resume',
        from: "redis.call('HDEL', K.tokens, A.presented == session.token and session.formerToken or session.token)\n",
        to: '',
      },
    ],
  },
  {
    name: 'a token is void before its successor has arrived',
    changes: [
      {
        file: 'resume',
        from: 'A.presented == session.token and session.formerToken or session.token)',
        to: 'session.token, session.formerToken)',
      },
    ],
  },
  {
    name: 'a token stays good after its successor has arrived',
    changes: [{ file: 'settle', from: "  redis.call('HDEL', K.tokens, session.formerToken)\n", to: '' }],
  },
  {
    name: 'closing leaves the token before the present one',
    changes: [
      {
        file: 'library',
        from: "redis.call('HDEL', K.tokens, session.token, session.formerToken)",
        to: "redis.call('HDEL', K.tokens, session.token)",
      },
    ],
  },
  {
    name: 'a resume does not raise the fence',
    changes: [{ file: 'resume', from: 'session.fence + 1, A.node', to: 'session.fence, A.node' }],
  },
  {
    name: 'the fence is not compared',
    changes: [
      {
        file: 'library',
        from: 'if session and session.fence == tonumber(A.fence) then return session end',
        to: 'if session then return session end',
      },
    ],
  },
  {
    name: 'a token outlives the grace period',
    changes: [
      {
        file: 'resume',
        from: "if session.awaySince > 0 and at - session.awaySince >= tonumber(A.graceMs) then return { 'unknown' } end\n",
        to: '',
      },
    ],
  },
  {
    name: 'expansions are never due',
    changes: [{ file: 'library', from: 'if since + expansion.afterMs > at then return', to: 'if false then return' }],
  },
  {
    name: 'expansions apply from the start',
    changes: [
      {
        file: 'library',
        from: 'local step = step_at(rules.expansions, at - math.min(seed.since, candidate.since))',
        to: 'local step = #rules.expansions',
      },
    ],
  },
  {
    name: 'having met is not looked at',
    changes: [
      { file: 'library', from: 'tonumber(met_at[position]) > at - rules.repeatMs) or false', to: 'false) or false' },
    ],
  },
  {
    name: 'seeking is looked at one way',
    changes: [
      {
        file: 'library',
        from: 'if not does_seek(a, b) or not does_seek(b, a) then',
        to: 'if not does_seek(a, b) then',
      },
    ],
  },
  {
    name: 'a language that must be shared need not be',
    changes: [{ file: 'library', from: 'return not rules.isLanguageHard or', to: 'return true or' }],
  },
  {
    name: 'who is matched stays in the index',
    changes: [
      {
        file: 'library',
        from: "    dequeue(sid, wait)\n    redis.call('HDEL', K.waits, sid)\n    session.conversationId, session.matchedBy",
        to: "    redis.call('HDEL', K.waits, sid)\n    session.conversationId, session.matchedBy",
      },
    ],
  },
  {
    name: 'who is matched still waits',
    changes: [
      {
        file: 'library',
        from: "    redis.call('HDEL', K.waits, sid)\n    session.conversationId, session.matchedBy",
        to: '    session.conversationId, session.matchedBy',
      },
    ],
  },
  {
    name: 'who is away stays in the queue',
    changes: [
      { file: 'library', from: '  if wait then dequeue(sid, wait) end\n  tell_presence', to: '  tell_presence' },
    ],
  },
  {
    name: 'a find that comes after the connection went is matched',
    changes: [
      {
        file: 'library',
        from: 'if session.awaySince > 0 then\n    -- A request',
        to: 'if false then\n    -- A request',
      },
    ],
  },
  {
    name: 'who comes back is not put in the queue',
    changes: [{ file: 'resume', from: 'wait_in_queue(sid, wait, cjson.decode(A.rules), at)', to: '' }],
  },
  {
    name: 'closing leaves the visitor in the queue',
    changes: [
      {
        file: 'library',
        from: "  stop_waiting(sid)\n  redis.call('HDEL', K.sessions, sid)",
        to: "  redis.call('HDEL', K.sessions, sid)",
      },
    ],
  },
];

/** Returns the scripts with a mistake in them. */
export function mutatedScripts({ changes }: Mutant): typeof SCRIPTS {
  return standingScripts((text, name) => changes.filter(({ file }) => file === name).reduce(changed, text));
}

/** Mutants that a run with repeated scripts detects: the second reply must be the kept one. */
export function withoutKeptAnswers(): typeof SCRIPTS {
  return remade(standingScripts(), (_, script) => ({
    ...script,
    run: async (runner, call) =>
      script.run(
        {
          evalsha: async (_sha, count, ...rest) => runner.eval(forgetful(script.text), count, ...rest),
          eval: async (_text, count, ...rest) => runner.eval(forgetful(script.text), count, ...rest),
        },
        call,
      ),
  }));
}

const forgetful = (text: string) =>
  changed(text, { file: 'assembled', from: 'if kept then return cmsgpack.unpack(kept) end', to: '' });

/** Match in two round trips: one script searches, and another takes the candidate without checking again. */
export function checkThenAct(): typeof SCRIPTS {
  const library = libraryText().replace(/return time\[1\] \* 1000 .*/, 'return tonumber(A.skewMs)');
  const body = readLua('find');
  const peek = defineScript(
    'peek-match',
    body.replace(
      /local status = find\([\s\S]*/,
      `
      if session.conversationId ~= '' or session.awaySince > 0 then return { 'found', '', '' } end
      local ticket = cjson.decode(A.ticket)
      local wait = wait_for(A.session, session, ticket, now())
      wait_in_queue(A.session, wait, { expansions = {}, scanMax = 0, perTagMax = 0 }, now())
      local id, peer = choose_peer(A.session, wait, cjson.decode(A.rules), now())
      return { 'found', id or '', id and cjson.encode(peer) or '' }
    `,
    ),
    library,
  );
  const take = defineScript(
    'take-match',
    body.replace(/^-- ARGV(.*)$/m, '-- ARGV$1 picked peer').replace(
      /local status = find\([\s\S]*/,
      `
      start(A.picked, cjson.decode(A.peer), A.session, read_wait(A.session) or cjson.decode(A.peer), cjson.decode(A.rules), now())
      return { 'found', 'matched' }
    `,
    ),
    library,
  );
  return remade(standingScripts(), (name, script) =>
    name !== 'find'
      ? script
      : {
          ...script,
          run: async (runner, call) => {
            const seen = await peek.run(runner, { ...call, operation: `${call.operation}-peek` });
            const [picked, peer] = seen.fields as [string, string];
            if (seen.tag === 'refused' || picked === '') return script.run(runner, call);
            return take.run(runner, { ...call, args: { ...call.args, picked, peer } });
          },
        },
  );
}

function remade(scripts: typeof SCRIPTS, make: (name: string, script: Script) => Script): typeof SCRIPTS {
  return Object.fromEntries(
    Object.entries(scripts).map(([name, script]) => [name, make(name, script)]),
  ) as typeof SCRIPTS;
}
