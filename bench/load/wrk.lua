-- Sends puts or gets of keys taken at random; prints what wrk measured as one line of JSON.
-- Arguments: put|get|stale-get, beginning of a key, number of keys, bytes of a value, seed.

local requests = {}

function init(args)
  local work, keyPrefix, keyCount, valueBytes = args[1], args[2], tonumber(args[3]), tonumber(args[4])
  math.randomseed(tonumber(args[5]))
  -- All requests are made here, before the clock starts: building one takes as long as sending it.
  for i = 0, keyCount - 1 do
    local path = string.format("/v1/kv/%s%04d", keyPrefix, i)
    if work == "put" then
      requests[#requests + 1] = wrk.format("PUT", path, {}, randomText(valueBytes))
    elseif work == "stale-get" then
      requests[#requests + 1] = wrk.format("GET", path .. "?consistency=stale")
    else
      requests[#requests + 1] = wrk.format("GET", path)
    end
  end
end

function request()
  return requests[math.random(#requests)]
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
