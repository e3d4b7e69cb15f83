-- Fields of the records, each with the short name under which Redis stores it. A field that is not listed is stored under
-- its own name. The previous and the next version read the stored names too, while nodes are replaced one after another:
-- none of them may change. A new field needs no short one, and may be absent.

local SESSION_FIELDS = {
  nodeId = 'n',
  fence = 'f',
  -- Token of resumption, and the one that was presented for it: '' once the former has arrived.
  token = 't',
  formerToken = 'p',
  -- As text.
  fingerprint = 'k',
  -- '' for none.
  agreedRules = 'ra',
  agreedAgeBand = 'rb',
  -- 0 while connected.
  awaySince = 'a',
  -- '' for none.
  conversationId = 'c',
  -- Id of the request that led to the conversation.
  matchedBy = 'm',
  -- The last conversation, its peer, and why it ended.
  lastConversationId = 'lc',
  lastPeerId = 'lp',
  endReason = 'e',
}

local WAIT_FIELDS = {
  -- Place in the queue.
  since = 's',
  seq = 'q',
  nodeId = 'n',
  ticket = 'k',
  -- Tags by which it is found, and those in which it looks for others.
  tags = 'g',
  lookups = 'u',
  -- When its next step is due, as in the key `due`. Absent when all are reached.
  dueAt = 'd',
  -- Revision at which the visitor asked for it, or came back to it.
  revision = 'r',
}

local CONVERSATION_FIELDS = {
  firstId = 'a',
  secondId = 'b',
  sharedInterests = 'i',
  isSameTopic = 't',
  -- 0 once both have confirmed.
  lapsesAt = 'd',
  hasFirstConfirmed = 'ca',
  hasSecondConfirmed = 'cb',
  -- Waits to give back if the match falls through. Absent once both have confirmed.
  firstWait = 'wa',
  secondWait = 'wb',
  -- Revision at which it started.
  revision = 'r',
}

local PARTY_FIELDS = {
  firstId = 'a',
  secondId = 'b',
  -- When they met, as text.
  firstFingerprint = 'ka',
  secondFingerprint = 'kb',
  -- When they were last seen, as text.
  firstLatestFingerprint = 'la',
  secondLatestFingerprint = 'lb',
  -- 0 while it runs.
  endedAt = 'e',
  -- By both. Absent until then.
  isConfirmed = 'y',
}

local function inverse(fields)
  local names = {}
  for name, stored_as in pairs(fields) do names[stored_as] = name end
  return names
end

local SESSION_NAMES, WAIT_NAMES = inverse(SESSION_FIELDS), inverse(WAIT_FIELDS)
local CONVERSATION_NAMES, PARTY_NAMES = inverse(CONVERSATION_FIELDS), inverse(PARTY_FIELDS)

-- Returns a copy of a record under other field names; fields that are not in `names` keep theirs.
local function renamed(record, names)
  local copy = {}
  for field, value in pairs(record) do copy[names[field] or field] = value end
  return copy
end
