-- PURPOSE  what a node believes of its sessions and is not so
-- MODE     read
-- KEYS     sessions conversations waits
-- ARGV     held
-- RETURNS  compared revision corrections
-- COST     O(h) in the sessions held

local corrections = {}
for _, held in ipairs(cjson.decode(A.held)) do
  local sid, fence, cid, peer_node, presence, is_waiting = unpack(held)
  local session = read(K.sessions, sid)
  if not session then
    corrections[#corrections + 1] = { 'gone', sid }
  elseif session.f > fence then
    corrections[#corrections + 1] = { 'elsewhere', sid }
  elseif session.a ~= 0 then
    corrections[#corrections + 1] = { 'away', sid }
  elseif session.c ~= '' then
    local conversation = read(K.conversations, session.c)
    local peer_id = conversation.a == sid and conversation.b or conversation.a
    local peer = read(K.sessions, peer_id)
    local present = peer.a == 0 and 'here' or 'away'
    if session.c ~= cid or peer.n ~= peer_node or present ~= presence then
      local correction = { 'seated', sid, present }
      for _, part in ipairs(seat(session.c, conversation, sid, { [peer_id] = peer })) do
        correction[#correction + 1] = part
      end
      corrections[#corrections + 1] = correction
    end
  elseif cid ~= '' then
    corrections[#corrections + 1] = { 'unseated', sid, session.lc == cid and session.e or 'peer_left' }
  elseif is_waiting and redis.call('HEXISTS', K.waits, sid) == 0 then
    corrections[#corrections + 1] = { 'idle', sid }
  end
end
return { 'compared', tonumber(redis.call('HGET', K.counters, 'revision') or 0), corrections }
