-- A site is asked, and must answer with its name as the first word.  The
-- argument is the name.  The outcome is on one line for machines; the first
-- failures come with their time.

local threads = {}
local shown = 0

wrong, answered = 0, 0

function setup(thread)
   threads[#threads + 1] = thread
end

function init(arguments)
   name = arguments[1]
end

-- Milliseconds until the next request of a connection.
function delay()
   return 15
end

function response(status, headers, body)
   local is_right = body:sub(1, #name + 1) == name .. " "
   if status == 200 and not is_right then wrong = wrong + 1 end
   if status == 200 and is_right then answered = answered + 1 return end
   shown = shown + 1
   if shown <= 20 then
      print(string.format("failure %s %d %s", os.date("%H:%M:%S"), status, body:gsub("%s+", " ")))
   end
end

function done(summary, latency)
   local errors, wrong, answered = summary.errors, 0, 0
   for _, thread in ipairs(threads) do
      wrong, answered = wrong + thread:get("wrong"), answered + thread:get("answered")
   end
   print(string.format(
      "outcome answered=%d connect=%d read=%d write=%d timeout=%d status=%d wrong=%d longest=%d",
      answered, errors.connect, errors.read, errors.write, errors.timeout, errors.status, wrong,
      latency.max / 1000))
end
