-- wrk's script. Words after `--`, each `key=value`:
--   services=N   send each request to one of N services, drawn at random; without it, every request is the same
--   body=BYTES   POST a body of so many bytes
--   distinct=N   every request has a Host of its own, N in all; then the same again
--   first=N      the number of the first of these
-- At the end it writes what it counted as one line of JSON.

local PRECOMPUTED_DRAWS = 65536

local function options(words)
  local found = {}
  for _, word in ipairs(words) do
    local key, value = string.match(word, "^(%w+)=(%d+)$")
    if key then found[key] = tonumber(value) end
  end
  return found
end

local function call_services(count)
  local requests = {}
  for index = 0, count - 1 do
    requests[index + 1] = wrk.format(nil, nil, { Host = string.format("svc-%04d", index) })
  end
  local draws = {}
  math.randomseed(1)
  for index = 1, PRECOMPUTED_DRAWS do draws[index] = requests[math.random(count)] end
  local at = 0
  return function()
    at = at % PRECOMPUTED_DRAWS + 1
    return draws[at]
  end
end

local function call_distinct(count, first)
  local before, after = string.match(wrk.format(nil, nil, { Host = "HOST" }), "^(.*)HOST(.*)$")
  local at = 0
  return function()
    local number = first + at
    at = (at + 1) % count
    return before .. "host-" .. number .. after
  end
end

function init(words)
  local wanted = options(words)
  if wanted.body then
    wrk.method = "POST"
    wrk.body = string.rep("x", wanted.body)
  end
  -- Defined only where requests differ: wrk calls a global `request` for each of them.
  if wanted.services then request = call_services(wanted.services) end
  if wanted.distinct then request = call_distinct(wanted.distinct, wanted.first or 0) end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"durationUs":%d,"failed":%d,"status":%d,"p50Us":%d,"p99Us":%d,"p999Us":%d}\n',
    summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.timeout, errors.status,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
