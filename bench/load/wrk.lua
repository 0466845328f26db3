-- Sends requests for keys taken at random; prints what wrk measured as one line of JSON.
-- Arguments: put|get|stale-get|txn|prefix, beginning of a key, digits of its number, number of keys, bytes of a value, seed,
-- ahead|each: whether all requests are made before the clock starts, or each when it is sent.

local requests = {}
local keyCount, keyFormat, head, tails
-- Different values of requests that are made when they are sent, and what they may take together.
local valuesMax, valueBytesMax = 64, 8 * 1024 * 1024

function init(args)
  local work, keyPrefix, valueBytes = args[1], args[2], tonumber(args[5])
  keyFormat = "%0" .. args[3] .. "d"
  keyCount = tonumber(args[4])
  math.randomseed(tonumber(args[6]))
  if work == "txn" then
    makeTransactions(keyPrefix, valueBytes)
  elseif work == "prefix" then
    makePrefixes(keyPrefix)
  elseif args[7] == "each" then
    makeParts(work, keyPrefix, valueBytes)
  else
    makeAll(work, keyPrefix, valueBytes)
  end
end

-- Where there is room: building a request takes as long as sending it.
function makeAll(work, keyPrefix, valueBytes)
  for i = 0, keyCount - 1 do
    requests[#requests + 1] = format(work, "/v1/kv/" .. keyPrefix .. string.format(keyFormat, i), valueBytes)
  end
end

-- Three keys that exist are put, one of each part of all keys, since none may be written twice (txnKeysOf in keys.ts).
function makeTransactions(keyPrefix, valueBytes)
  local values = {}
  for i = 1, keyCount do values[i] = randomText(valueBytes) end
  local parts = {0, 0.3 * keyCount, 0.6 * keyCount, keyCount}
  for i = 1, keyCount do
    local compares, puts = {}, {}
    for n = 1, 3 do
      local key = keyPrefix .. string.format(keyFormat, math.random(parts[n], parts[n + 1] - 1))
      compares[n] = string.format('{"key":"%s","createRevision":{">":0}}', key)
      puts[n] = string.format('{"put":{"key":"%s","value":"%s"}}', key, values[(i + n) % keyCount + 1])
    end
    local body = '{"if":[' .. table.concat(compares, ",") .. '],"then":[' .. table.concat(puts, ",") .. ']}'
    requests[i] = wrk.format("POST", "/v1/txn", {["Content-Type"] = "application/json"}, body)
  end
end

-- By the first digit of a key's number: a thousand of 10,000 keys have it.
function makePrefixes(keyPrefix)
  for digit = 0, 9 do
    requests[digit + 1] = wrk.format("GET", "/v1/kv?prefix=" .. keyPrefix .. digit .. "&limit=1000")
  end
end

-- What stands before the number of a key is the same in all requests; after it there are a few different values.
function makeParts(work, keyPrefix, valueBytes)
  local count = work == "put" and math.max(1, math.min(valuesMax, math.floor(valueBytesMax / valueBytes))) or 1
  tails = {}
  for i = 1, count do
    local whole = format(work, "/v1/kv/" .. keyPrefix .. "\1", valueBytes)
    local at = whole:find("\1", 1, true)
    head = whole:sub(1, at - 1)
    tails[i] = whole:sub(at + 1)
  end
  request = requestOfParts
end

function format(work, path, valueBytes)
  if work == "put" then return wrk.format("PUT", path, {}, randomText(valueBytes)) end
  if work == "stale-get" then return wrk.format("GET", path .. "?consistency=stale") end
  return wrk.format("GET", path)
end

function request()
  return requests[math.random(#requests)]
end

function requestOfParts()
  return head .. string.format(keyFormat, math.random(keyCount) - 1) .. tails[math.random(#tails)]
end

function done(summary, latency)
  local counts = {}
  for i = 1, #latency do
    local micros, count = latency(i)
    counts[i] = string.format("[%d,%d]", micros, count)
  end
  local errors = summary.errors
  print(string.format(
    '{"micros":%d,"requests":%d,"bytes":%d,"statusErrors":%d,"brokenConnections":%d,"timeouts":%d,"latency":[%s]}',
    summary.duration, summary.requests, summary.bytes, errors.status,
    errors.connect + errors.read + errors.write, errors.timeout, table.concat(counts, ",")))
end

function randomText(length)
  local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
  local letters = {}
  for i = 1, length do
    local at = math.random(#alphabet)
    letters[i] = alphabet:sub(at, at)
  end
  return table.concat(letters)
end
