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
  local session = read_session(sid)
  if not session then
    correct('gone', sid)
  elseif session.fence > fence then
    correct('elsewhere', sid)
  elseif session.fence < fence then
    correct('forgotten', sid, session.fence)
  elseif session.awaySince ~= 0 then
    correct('away', sid)
  elseif session.conversationId ~= '' then
    -- A conversation with lost parts is ended elsewhere: by any script that meets it, and by the repair.
    local conversation, peer_id, peer = seated(sid, session)
    local present = peer and (peer.awaySince == 0 and 'here' or 'away')
    if conversation and session.conversationId ~= cid and conversation.revision and conversation.revision < told then
      correct('outlived', sid, session.conversationId)
    elseif conversation and (session.conversationId ~= cid or peer.nodeId ~= peer_node or present ~= presence) then
      correct('seated', sid, present, unpack(seat(session.conversationId, conversation, sid, { [peer_id] = peer })))
    end
  elseif cid ~= '' then
    local is_known = session.lastConversationId == cid or redis.call('HEXISTS', K.parties, cid) == 1
    correct('unseated', sid, session.lastConversationId == cid and session.endReason or is_known and 'peer_left' or 'service_reset')
  elseif is_waiting then
    if redis.call('HEXISTS', K.waits, sid) == 0 then correct('idle', sid) end
  else
    local wait = read_wait(sid)
    if wait and wait.revision and wait.revision < told then correct('unasked', sid) end
  end
end
return { 'compared', tonumber(redis.call('HGET', K.counters, 'revision') or 0), corrections }
