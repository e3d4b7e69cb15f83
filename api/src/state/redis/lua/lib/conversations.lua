-- Starting and ending conversations.

local RECENT_WAITS_MAX = 32
local next_id = 0
local fresh_ids = nil

-- Returns the next of the ids supplied by the caller; nil when they are used up.
local function fresh_conversation_id()
  if not fresh_ids then
    fresh_ids = {}
    for id in string.gmatch(A.freshIds, '%S+') do fresh_ids[#fresh_ids + 1] = id end
  end
  next_id = next_id + 1
  return fresh_ids[next_id]
end

local function seat(cid, conversation, sid, sessions)
  local is_first = conversation.a == sid
  local peer_id = is_first and conversation.b or conversation.a
  return {
    cid,
    is_first and 'offerer' or 'answerer',
    peer_id,
    sessions[peer_id].n,
    conversation.t and '1' or '0',
    table.concat(conversation.i, '\31'),
  }
end

local function start(first_id, first_wait, second_id, second_wait, rules, at)
  local cid = fresh_conversation_id()
  if not cid then return false end
  local a, b = first_wait.k, second_wait.k
  local conversation = {
    a = first_id,
    b = second_id,
    i = intersection(a.interests, b.interests),
    t = a.topic ~= nil and a.topic == b.topic,
    d = at + rules.confirmMs,
    ca = false,
    cb = false,
    wa = first_wait,
    wb = second_wait,
    r = revision,
  }
  write(K.conversations, cid, conversation)
  redis.call('ZADD', K.claims, conversation.d, cid)
  redis.call('LPUSH', K.recent, at - first_wait.s, at - second_wait.s)
  redis.call('LTRIM', K.recent, 0, RECENT_WAITS_MAX - 1)
  local sessions = { [first_id] = read(K.sessions, first_id), [second_id] = read(K.sessions, second_id) }
  local ka, kb = sessions[first_id].k, sessions[second_id].k
  write(K.parties, cid, { a = first_id, b = second_id, ka = ka, kb = kb, la = ka, lb = kb, e = 0 })
  for _, side in ipairs({ { first_id, first_wait, second_id }, { second_id, second_wait, first_id } }) do
    local sid, wait, peer_id = side[1], side[2], side[3]
    local session = sessions[sid]
    out_of_line(sid, wait)
    redis.call('HDEL', K.waits, sid)
    session.c, session.m, session.lc, session.lp = cid, wait.k.requestId, cid, peer_id
    write(K.sessions, sid, session)
  end
  for _, sid in ipairs({ first_id, second_id }) do
    local notice = { 'started', sid, sessions[sid].n }
    for _, part in ipairs(seat(cid, conversation, sid, sessions)) do notice[#notice + 1] = part end
    notices[#notices + 1] = notice
  end
  return true
end

-- Ends a conversation for the sessions in it, and returns those by id; `by` is the session that left, or nil when the
-- service ended it. `reasons` overrides by session.
local function finish(cid, conversation, by, reason, peer_reason, at, reasons)
  redis.call('HDEL', K.conversations, cid)
  redis.call('ZREM', K.claims, cid)
  local party = read(K.parties, cid)
  if party then
    party.e = at
    write(K.parties, cid, party)
    redis.call('ZADD', K.over, at, cid)
  end
  if reason ~= 'unconfirmed' then
    redis.call('ZADD', K.meetings, at, pair_key(conversation.a, conversation.b))
  end
  local freed = {}
  for _, sid in ipairs({ conversation.a, conversation.b }) do
    local session = read(K.sessions, sid)
    if session and session.c == cid then
      local told = (by == nil or by == sid) and reason or peer_reason
      if reasons and reasons[sid] then told = reasons[sid] end
      session.c, session.m, session.e = '', '', told
      write(K.sessions, sid, session)
      tell_ended(sid, session, cid, told)
      freed[sid] = session
    end
  end
  return freed
end

-- Returns a session in a consistent state: its conversation exists, and the peer is in it too. A conversation that has
-- lost its record or one of its sessions is ended for the remaining session, which stores enough to do so. nil for no
-- session.
local function whole(sid, session, at)
  if not session or session.c == '' or seated(sid, session) then return session end
  local conversation = read(K.conversations, session.c) or { a = sid, b = session.lp }
  finish(session.c, conversation, nil, 'service_reset', 'service_reset', at)
  return read(K.sessions, sid)
end

-- Matches a waiter now, if somebody fits; returns whether it did. The next sweep tries again if somebody fits but this
-- script has no conversation id left, or if somebody may fit.
local function meet(sid, wait, rules, at)
  local peer_id, peer_wait, is_unsure = choose(sid, wait, rules, at)
  if peer_id and start(peer_id, peer_wait, sid, wait, rules, at) then return true end
  if peer_id or is_unsure then write_due(sid, wait, at) end
  return false
end

-- Puts a session into the queue (again, or with other criteria) and matches it now, if somebody fits.
local function wait_in_line(sid, wait, rules, at)
  local before = read_wait(sid)
  if before then out_of_line(sid, before) end
  into_line(sid, wait, rules, at)
  return meet(sid, wait, rules, at)
end

-- Ends a match that was not confirmed by both in time; a session that confirmed returns to its place in the queue.
local function lapse(cid, rules, at)
  redis.call('ZREM', K.claims, cid)
  local conversation = read(K.conversations, cid)
  if not conversation or conversation.d == 0 then return end
  local sides = { { conversation.a, conversation.ca, conversation.wa }, { conversation.b, conversation.cb, conversation.wb } }
  local reasons = {}
  for _, side in ipairs(sides) do
    if not side[2] then reasons[side[1]] = 'peer_left' end
  end
  local freed = finish(cid, conversation, nil, 'unconfirmed', 'unconfirmed', at, reasons)
  for _, side in ipairs(sides) do
    local sid, is_confirmed, wait = side[1], side[2], side[3]
    local session = freed[sid]
    if is_confirmed and session then
      wait.n = session.n
      if session.a == 0 then wait_in_line(sid, wait, rules, at) else write(K.waits, sid, wait) end
    end
  end
end

-- Returns a wait for this ticket, with the place of the present wait, or a new place at the end.
local function wait_for(sid, session, ticket, at)
  local before = read_wait(sid)
  return {
    s = before and before.s or at,
    q = before and before.q or next_number('seq'),
    n = session.n,
    r = revision,
    k = ticket.ticket,
    g = ticket.tags,
    u = ticket.lookups,
  }
end

-- Carries out match:find, also as the `next` of leaving. Returns 'waiting', 'matched' or nil for a refusal.
local function find(sid, session, ticket, rules, at)
  if session.c ~= '' then
    return session.m == ticket.ticket.requestId and 'matched' or nil
  end
  local wait = wait_for(sid, session, ticket, at)
  if session.a > 0 then
    -- A request that was in progress when the connection was lost: the place is kept, out of the queue.
    write(K.waits, sid, wait)
    return 'waiting'
  end
  return wait_in_line(sid, wait, rules, at) and 'matched' or 'waiting'
end

-- The session is whole.
local function suspend(sid, session, at)
  session.a = at
  write(K.sessions, sid, session)
  redis.call('ZREM', K.placed, placement(sid, session))
  redis.call('ZADD', K.away, at, sid)
  local wait = read_wait(sid)
  if wait then out_of_line(sid, wait) end
  tell_presence(sid, session)
end

-- The session is whole.
local function forget(sid, session, peer_reason, at)
  if session.c ~= '' then
    finish(session.c, read(K.conversations, session.c), sid, 'you_left', peer_reason, at)
  end
  stop_waiting(sid)
  redis.call('HDEL', K.sessions, sid)
  redis.call('HDEL', K.tokens, session.t, session.p)
  redis.call('ZREM', K.away, sid)
  redis.call('ZREM', K.placed, placement(sid, session))
end
