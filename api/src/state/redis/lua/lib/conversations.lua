-- Starting and ending conversations.

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
  local is_first = conversation.firstId == sid
  local peer_id = is_first and conversation.secondId or conversation.firstId
  return {
    cid,
    is_first and 'offerer' or 'answerer',
    peer_id,
    sessions[peer_id].nodeId,
    conversation.isSameTopic and '1' or '0',
    table.concat(conversation.sharedInterests, UNIT_SEPARATOR),
  }
end

local function start(first_id, first_wait, second_id, second_wait, rules, at)
  local cid = fresh_conversation_id()
  if not cid then return false end
  local a, b = first_wait.ticket, second_wait.ticket
  local conversation = {
    firstId = first_id,
    secondId = second_id,
    sharedInterests = intersection(a.interests, b.interests),
    isSameTopic = a.topic ~= nil and a.topic == b.topic,
    lapsesAt = at + rules.confirmMs,
    hasFirstConfirmed = false,
    hasSecondConfirmed = false,
    firstWait = first_wait,
    secondWait = second_wait,
    revision = revision,
  }
  write_conversation(cid, conversation)
  redis.call('ZADD', K.pendingMatches, conversation.lapsesAt, cid)
  redis.call('LPUSH', K.recent, at - first_wait.since, at - second_wait.since)
  redis.call('LTRIM', K.recent, 0, RECENT_WAITS_MAX - 1)
  local sessions = { [first_id] = read_session(first_id), [second_id] = read_session(second_id) }
  local first_fingerprint, second_fingerprint = sessions[first_id].fingerprint, sessions[second_id].fingerprint
  write_party(cid, {
    firstId = first_id,
    secondId = second_id,
    firstFingerprint = first_fingerprint,
    secondFingerprint = second_fingerprint,
    firstLatestFingerprint = first_fingerprint,
    secondLatestFingerprint = second_fingerprint,
    endedAt = 0,
  })
  for _, side in ipairs({ { first_id, first_wait, second_id }, { second_id, second_wait, first_id } }) do
    local sid, wait, peer_id = side[1], side[2], side[3]
    local session = sessions[sid]
    dequeue(sid, wait)
    redis.call('HDEL', K.waits, sid)
    session.conversationId, session.matchedBy = cid, wait.ticket.requestId
    session.lastConversationId, session.lastPeerId = cid, peer_id
    write_session(sid, session)
  end
  for _, sid in ipairs({ first_id, second_id }) do
    local notice = { 'started', sid, sessions[sid].nodeId }
    for _, part in ipairs(seat(cid, conversation, sid, sessions)) do notice[#notice + 1] = part end
    notices[#notices + 1] = notice
  end
  return true
end

-- Ends a conversation for the sessions in it, and returns those by id; `by` is the session that left, or nil when the
-- service ended it. `reasons` overrides by session.
local function finish(cid, conversation, by, reason, peer_reason, at, reasons)
  redis.call('HDEL', K.conversations, cid)
  redis.call('ZREM', K.pendingMatches, cid)
  local party = read_party(cid)
  if party then
    party.endedAt = at
    write_party(cid, party)
    redis.call('ZADD', K.over, at, cid)
  end
  if reason ~= 'unconfirmed' then
    redis.call('ZADD', K.meetings, at, pair_key(conversation.firstId, conversation.secondId))
  end
  local freed = {}
  for _, sid in ipairs({ conversation.firstId, conversation.secondId }) do
    local session = read_session(sid)
    if session and session.conversationId == cid then
      local told = (by == nil or by == sid) and reason or peer_reason
      if reasons and reasons[sid] then told = reasons[sid] end
      session.conversationId, session.matchedBy, session.endReason = '', '', told
      write_session(sid, session)
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
  if not session or session.conversationId == '' or seated(sid, session) then return session end
  local conversation = read_conversation(session.conversationId) or { firstId = sid, secondId = session.lastPeerId }
  finish(session.conversationId, conversation, nil, 'service_reset', 'service_reset', at)
  return read_session(sid)
end

-- Matches a waiter now, if somebody fits; returns whether it did. The next sweep tries again if somebody fits but this
-- script has no conversation id left, or if somebody may fit.
local function meet(sid, wait, rules, at)
  local peer_id, peer_wait, is_unsure = choose_peer(sid, wait, rules, at)
  if peer_id and start(peer_id, peer_wait, sid, wait, rules, at) then return true end
  if peer_id or is_unsure then write_due(sid, wait, at) end
  return false
end

-- Puts a session into the queue (again, or with other criteria) and matches it now, if somebody fits.
local function wait_in_queue(sid, wait, rules, at)
  local before = read_wait(sid)
  if before then dequeue(sid, before) end
  enqueue(sid, wait, rules, at)
  return meet(sid, wait, rules, at)
end

-- Ends a match that was not confirmed by both in time; a session that confirmed returns to its place in the queue.
local function lapse(cid, rules, at)
  redis.call('ZREM', K.pendingMatches, cid)
  local conversation = read_conversation(cid)
  if not conversation or conversation.lapsesAt == 0 then return end
  local sides = {
    { conversation.firstId, conversation.hasFirstConfirmed, conversation.firstWait },
    { conversation.secondId, conversation.hasSecondConfirmed, conversation.secondWait },
  }
  local reasons = {}
  for _, side in ipairs(sides) do
    if not side[2] then reasons[side[1]] = 'peer_left' end
  end
  local freed = finish(cid, conversation, nil, 'unconfirmed', 'unconfirmed', at, reasons)
  for _, side in ipairs(sides) do
    local sid, is_confirmed, wait = side[1], side[2], side[3]
    local session = freed[sid]
    if is_confirmed and session then
      wait.nodeId = session.nodeId
      if session.awaySince == 0 then wait_in_queue(sid, wait, rules, at) else write_wait(sid, wait) end
    end
  end
end

-- Returns a wait for this ticket, with the place of the present wait, or a new place at the end.
local function wait_for(sid, session, ticket, at)
  local before = read_wait(sid)
  return {
    since = before and before.since or at,
    seq = before and before.seq or next_number('seq'),
    nodeId = session.nodeId,
    revision = revision,
    ticket = ticket.ticket,
    tags = ticket.tags,
    lookups = ticket.lookups,
  }
end

-- Carries out match:find, also as the `next` of leaving. Returns 'waiting', 'matched' or nil for a refusal.
local function find(sid, session, ticket, rules, at)
  if session.conversationId ~= '' then
    return session.matchedBy == ticket.ticket.requestId and 'matched' or nil
  end
  local wait = wait_for(sid, session, ticket, at)
  if session.awaySince > 0 then
    -- A request that was in progress when the connection was lost: the place is kept, out of the queue.
    write_wait(sid, wait)
    return 'waiting'
  end
  return wait_in_queue(sid, wait, rules, at) and 'matched' or 'waiting'
end

-- The session is whole.
local function suspend(sid, session, at)
  session.awaySince = at
  write_session(sid, session)
  redis.call('ZREM', K.placed, placement(sid, session))
  redis.call('ZADD', K.away, at, sid)
  local wait = read_wait(sid)
  if wait then dequeue(sid, wait) end
  tell_presence(sid, session)
end

-- The session is whole.
local function forget(sid, session, peer_reason, at)
  if session.conversationId ~= '' then
    finish(session.conversationId, read_conversation(session.conversationId), sid, 'you_left', peer_reason, at)
  end
  stop_waiting(sid)
  redis.call('HDEL', K.sessions, sid)
  redis.call('HDEL', K.tokens, session.token, session.formerToken)
  redis.call('ZREM', K.away, sid)
  redis.call('ZREM', K.placed, placement(sid, session))
end
