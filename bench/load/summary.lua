-- What wrk counted, as one JSON line for bench/run.py. An argument makes each request a POST with
-- a body of that many bytes. Nothing here runs per request: wrk formats it once, after init.
function init(args)
  local size = tonumber(args[1] or "0")
  if size > 0 then
    wrk.method = "POST"
    wrk.body = string.rep("x", size)
    wrk.headers["Content-Type"] = "application/octet-stream"
  end
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    'SUMMARY {"requests": %d, "bytes": %d, "duration_us": %d, "connect": %d, "read": %d, ' ..
    '"write": %d, "timeout": %d, "status": %d}\n',
    summary.requests, summary.bytes, summary.duration, e.connect, e.read, e.write, e.timeout,
    e.status))
end
