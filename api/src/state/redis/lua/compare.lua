-- PURPOSE  corrections of a node's view of its sessions
-- MODE     read
-- KEYS     sessions conversations waits parties
-- ARGV     held
-- RETURNS  compared revision corrections
-- COST     O(h) in the sessions held

local corrections = {}
local function correct(...) corrections[#corrections + 1] = { ... } end

for _, held in ipairs(cjson.decode(A.held)) do
  local sid, fence, cid, peer_node, presence, is_waiting, told = unpack(held)
  local session = read(K.sessions, sid)
  if not session then
    correct('gone', sid)
  elseif session.f > fence then
    correct('elsewhere', sid)
  elseif session.f < fence then
    correct('forgotten', sid, session.f)
  elseif session.a ~= 0 then
    correct('away', sid)
  elseif session.c ~= '' then
    -- A conversation with lost parts is ended elsewhere: by any script that meets it, and by the repair.
    local conversation, peer_id, peer = seated(sid, session)
    local present = peer and (peer.a == 0 and 'here' or 'away')
    if conversation and session.c ~= cid and conversation.r and conversation.r < told then
      correct('outlived', sid, session.c)
    elseif conversation and (session.c ~= cid or peer.n ~= peer_node or present ~= presence) then
      correct('seated', sid, present, unpack(seat(session.c, conversation, sid, { [peer_id] = peer })))
    end
  elseif cid ~= '' then
    local is_known = session.lc == cid or redis.call('HEXISTS', K.parties, cid) == 1
    correct('unseated', sid, session.lc == cid and session.e or is_known and 'peer_left' or 'service_reset')
  elseif is_waiting then
    if redis.call('HEXISTS', K.waits, sid) == 0 then correct('idle', sid) end
  else
    local wait = read_wait(sid)
    if wait and wait.r and wait.r < told then correct('unasked', sid) end
  end
end
return { 'compared', tonumber(redis.call('HGET', K.counters, 'revision') or 0), corrections }
