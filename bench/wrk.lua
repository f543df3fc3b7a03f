-- Requests for hosts at random, and the outcome on one line for machines.
-- The argument is a file with a host on each line.

local ready = {}

function init(arguments)
   math.randomseed(1)
   for host in io.lines(arguments[1]) do
      local headers = { Host = host }
      for name, value in pairs(wrk.headers) do
         if name:lower() ~= "host" then headers[name] = value end
      end
      ready[#ready + 1] = wrk.format(nil, nil, headers)
   end
end

function request()
   return ready[math.random(#ready)]
end

-- Times are in microseconds.
function done(summary, latency)
   local errors = summary.errors
   print(string.format(
      "outcome requests=%d duration=%d bytes=%d p50=%d p99=%d"
      .. " connect=%d read=%d write=%d status=%d timeout=%d",
      summary.requests, summary.duration, summary.bytes,
      latency:percentile(50), latency:percentile(99),
      errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
