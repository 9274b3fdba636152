-- SPDX-License-Identifier: Apache-2.0
-- For wrk: requests with a key and, for a POST, a body; prints the counts as one line of JSON at the end.
-- BENCH_METHOD, BENCH_KEY, BENCH_BODY and BENCH_PATHS (a file of paths, one a line, used in turn) are in the environment.
local paths = {}

function init(args)
    wrk.method = os.getenv("BENCH_METHOD") or "GET"
    wrk.headers["Authorization"] = "Bearer " .. (os.getenv("BENCH_KEY") or "")
    if wrk.method == "POST" then
        wrk.headers["Content-Type"] = "application/json"
        wrk.body = os.getenv("BENCH_BODY")
    end
    local file = os.getenv("BENCH_PATHS")
    if file then
        for line in io.lines(file) do
            paths[#paths + 1] = wrk.format(nil, line)
        end
    else
        paths[1] = wrk.format()
    end
end

local turn = 0

function request()
    turn = turn % #paths + 1
    return paths[turn]
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '{"requests": %d, "seconds": %.6f, "refused": %d, "broken": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
        summary.requests, summary.duration / 1e6, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
