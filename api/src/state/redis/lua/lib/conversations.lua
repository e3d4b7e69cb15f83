-- Starting and ending conversations.

local RECENT_WAITS_MAX = 32
local next_id = 0
local fresh_ids = nil

-- The next of the ids the caller brought along; nil when they are used up.
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

-- Ends a conversation; `by` is the side that left, or nil when the service ended it. `reasons` overrides by session.
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
  for _, sid in ipairs({ conversation.a, conversation.b }) do
    local session = read(K.sessions, sid)
    local told = (by == nil or by == sid) and reason or peer_reason
    if reasons and reasons[sid] then told = reasons[sid] end
    session.c, session.m, session.e = '', '', told
    write(K.sessions, sid, session)
    tell_ended(sid, session, cid, told)
  end
end

-- Puts a session in line (again, or with other words) and looks for somebody who fits now.
local function wait_in_line(sid, wait, rules, at)
  local before = read(K.waits, sid)
  if before then out_of_line(sid, before) end
  write(K.waits, sid, wait)
  into_line(sid, wait, rules, at)
  local peer_id, peer_wait = choose(sid, wait, rules, at)
  if not peer_id then return false end
  if start(peer_id, peer_wait, sid, wait, rules, at) then return true end
  look_again(sid, at)
  return false
end

-- A wait for this ticket: the place of the present one, or a new place at the end.
local function wait_for(sid, session, ticket, at)
  local before = read(K.waits, sid)
  return {
    s = before and before.s or at,
    q = before and before.q or next_number('seq'),
    n = session.n,
    k = ticket.ticket,
    g = ticket.tags,
    u = ticket.lookups,
  }
end

-- match:find, also as the `next` of leaving. Returns 'waiting', 'matched' or nil for a refusal.
local function find(sid, session, ticket, rules, at)
  if session.c ~= '' then
    return session.m == ticket.ticket.requestId and 'matched' or nil
  end
  local wait = wait_for(sid, session, ticket, at)
  if session.a > 0 then
    -- A request that was under way when the connection went: the place is kept, out of line.
    write(K.waits, sid, wait)
    return 'waiting'
  end
  return wait_in_line(sid, wait, rules, at) and 'matched' or 'waiting'
end

local function suspend(sid, session, at)
  session.a = at
  write(K.sessions, sid, session)
  redis.call('ZREM', K.placed, placement(sid, session))
  redis.call('ZADD', K.away, at, sid)
  local wait = read(K.waits, sid)
  if wait then out_of_line(sid, wait) end
  tell_presence(sid, session)
end

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
