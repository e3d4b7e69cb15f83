import type { Mutant } from '../model/mutants/change.ts';

/** Scripts that lack a repair, or a check of what they read: the test of losses must detect each. */
export const LOSS_MUTANTS: readonly Mutant[] = [
  {
    name: 'a conversation that lost its record is relied on',
    changes: [
      {
        file: 'library',
        from: "if not session or session.conversationId == '' or seated(sid, session) then return session end",
        to: 'if true then return session end',
      },
    ],
  },
  {
    name: 'a wait that is missing is relied on',
    changes: [
      {
        file: 'library',
        from: 'local candidate = unpacked_wait(waits[position])',
        to: 'local candidate = renamed(cmsgpack.unpack(waits[position]), WAIT_NAMES)',
      },
    ],
  },
  {
    name: 'who is found in the index is not looked up',
    changes: [{ file: 'library', from: 'if is_in_queue(id, candidate) then best', to: 'if true then best' }],
  },
  {
    name: 'tokens are not restored',
    changes: [
      { file: 'library', from: "put_right('sessions', redis.call('HSETNX', K.tokens, session.token, sid))", to: '' },
    ],
  },
  {
    name: 'who is away is not listed again',
    changes: [
      {
        file: 'library',
        from: "    put_right('sessions', redis.call('ZADD', K.away, session.awaySince, sid))\n    return",
        to: '    return',
      },
    ],
  },
  {
    name: 'who is connected is not listed again',
    changes: [
      {
        file: 'library',
        from: "put_right('sessions', redis.call('ZADD', K.placed, 0, placement(sid, session)))\n  -- A node",
        to: '-- A node',
      },
    ],
  },
  {
    name: 'waiters are not listed again',
    changes: [{ file: 'library', from: 'local added = list_tags(sid, wait)', to: 'local added = 0' }],
  },
  {
    name: 'pending matches are not listed again',
    changes: [
      {
        file: 'library',
        from: "put_right('conversations', redis.call('ZADD', K.pendingMatches, 'NX', conversation.lapsesAt, cid))",
        to: '',
      },
    ],
  },
  {
    name: 'waits of sessions that are gone stay',
    changes: [{ file: 'repair', from: 'do repair_wait(sid, at) end', to: 'do local _ = repair_wait end' }],
  },
  {
    name: 'entries of the index that lead to nobody stay',
    changes: [{ file: 'repair', from: 'do repair_index(member) end', to: 'do local _ = repair_index end' }],
  },
  {
    name: 'placements of sessions that are gone stay',
    changes: [{ file: 'repair', from: 'do repair_placement(member) end', to: 'do local _ = repair_placement end' }],
  },
  {
    name: 'conversations of sessions that are gone stay',
    changes: [
      { file: 'repair', from: 'do repair_conversation(cid, at) end', to: 'do local _ = repair_conversation end' },
    ],
  },
  {
    name: 'a conversation the store went back to is taken for a new one',
    changes: [{ file: 'compare', from: 'conversation.revision < told then', to: 'false then' }],
  },
  {
    name: 'a wait the store went back to is kept',
    changes: [{ file: 'compare', from: 'wait.revision and wait.revision < told then', to: 'false then' }],
  },
  {
    name: 'an older fence in the store is not noticed',
    changes: [{ file: 'compare', from: 'elseif session.fence < fence then', to: 'elseif false then' }],
  },
];
