-- wrk's requests: one after the other out of a template with <placeholders> (see targets.yaml).
--
--   wrk ... -s requests.lua URL -- TEMPLATE TOKENS CARERS TURN [SAMPLES]
--
-- TEMPLATE: a file with a whole HTTP request; TOKENS: a file with a token a line; CARERS: how many the data set has;
-- TURN: a number that is new for each run, so that <new> is; SAMPLES: a file with bodies, one a line, of which each request
-- takes one as <body>, with its size as <length>. Prints one line of JSON at the end, latencies in microseconds.

local threads = 0

function setup(thread)
	thread:set("thread_number", threads)
	threads = threads + 1
end

local function contents(path)
	local file = assert(io.open(path, "rb"))
	local text = file:read("*a")
	file:close()
	return text
end

-- Text, name, text, name, ..., text.
local function split(template)
	local pieces, from = {}, 1
	for start, name, stop in template:gmatch("()<(%l+)>()") do
		pieces[#pieces + 1] = template:sub(from, start - 1)
		pieces[#pieces + 1] = name
		from = stop
	end
	pieces[#pieces + 1] = template:sub(from)
	return pieces
end

local pieces, names, tokens, samples, half, serial = {}, {}, {}, {}, 0, 0
local values = {}

function init(args)
	pieces = split(contents(args[1]))
	for at = 2, #pieces, 2 do
		names[at] = pieces[at]
	end
	for token in contents(args[2]):gmatch("%S+") do
		tokens[#tokens + 1] = token
	end
	for sample in (args[5] and contents(args[5]) or ""):gmatch("[^\n]+") do
		samples[#samples + 1] = sample
	end
	half = math.floor(tonumber(args[3]) / 2)
	serial = 100000000000 + tonumber(args[4]) * 1000000000 + thread_number * 100000000
	math.randomseed(serial)
end

function request()
	serial = serial + 1
	values.new = string.format("%.0f", serial)
	values.carer = string.format("%.0f", 100000000000 + 2 * math.random(0, half - 1))
	values.assessed = string.format("%.0f", 100000000000 + 2 * math.random(0, math.min(half, 25000) - 1))
	values.token = tokens[math.random(#tokens)]
	if #samples > 0 then
		values.body = samples[math.random(#samples)]
		values.length = tostring(#values.body)
	end
	for at, name in pairs(names) do
		pieces[at] = values[name]
	end
	return table.concat(pieces)
end

function done(summary, latency)
	local e = summary.errors
	io.write(string.format('RESULT {"requests":%d,"duration_us":%d,"p50":%d,"p99":%d,"errors":%d}\n', summary.requests,
		summary.duration, latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
