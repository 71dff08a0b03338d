// Messages as clients and backends sent them: what the cases replay.
#pragma once

#include <string_view>

namespace doorward::replay {

// wrk
inline constexpr std::string_view kRequest =
    "GET /orders/4711?page=2 HTTP/1.1\r\n"
    "Host: api.example.com\r\n"
    "\r\n";

// A browser's, with what a single-page application adds.
inline constexpr std::string_view kBrowserRequest =
    "GET /api/v1/orders/4711/items?sort=date&page=2 HTTP/1.1\r\n"
    "Host: api.example.com\r\n"
    "Connection: keep-alive\r\n"
    "sec-ch-ua: \"Chromium\";v=\"130\", \"Not?A_Brand\";v=\"99\"\r\n"
    "sec-ch-ua-platform: \"Linux\"\r\n"
    "Authorization: Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl\r\n"
    "sec-ch-ua-mobile: ?0\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36\r\n"
    "Accept: application/json, text/plain, */*\r\n"
    "Sec-Fetch-Site: same-site\r\n"
    "Sec-Fetch-Mode: cors\r\n"
    "Sec-Fetch-Dest: empty\r\n"
    "Referer: https://app.example.com/orders\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    "Cookie: session=5f2b6c1e9d; theme=dark\r\n"
    "\r\n";

// nginx
inline constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\n"
    "Server: nginx/1.22.1\r\n"
    "Date: Mon, 24 Nov 2025 22:30:00 GMT\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 176\r\n"
    "Connection: keep-alive\r\n"
    "\r\n";

}  // namespace doorward::replay
