// grpc_web: the settings, the heads, and the bodies both ways.
#include "policy/grpc_web/grpc_web.h"

#include <algorithm>
#include <string>

#include "http/field.h"
#include "schema/schema.h"
#include "translate/grpc/status.h"
#include "translate/grpc/web_trailers.h"

namespace doorward::policy {
namespace {

namespace grpc = translate::grpc;
using grpc::Wire;
using http::HeaderList;
using http::HeaderName;

constexpr auto kSchema = schema::schema<GrpcWebConfig>(
    "grpc_web",
    "Lets browsers call gRPC services: requests of type `application/grpc-web` and "
    "`application/grpc-web-text` reach the backend as gRPC, and its responses come back as "
    "gRPC-Web. Other requests pass untouched. A body that is no gRPC-Web is refused (400 "
    "`grpc_web_invalid`). The service's backends must speak HTTP/2.",
    schema::example("{}\n"));

// The client's wish (gRPC-Web, "HTTP wire protocols": by Accept), else as it asked.
Wire wanted_wire(const HeaderList& headers, Wire request) {
  for (const http::Header& header : headers.values(HeaderName::accept)) {
    for (const std::string_view type : http::ListElements(header.value)) {
      const Wire wire = grpc::read_content_type(type).wire;
      if (grpc::is_web(wire)) return wire;
    }
  }
  return request;
}

Outcome refuse(PolicyContext& context, const BodyPiece& piece, std::string_view detail) {
  const Outcome refused = context.reply(400, "grpc_web_invalid", detail);
  refused.reply->close = !piece.last;  // what still comes is not read
  return refused;
}

// A backend that says nothing of how the call ended.
const HeaderList* no_status(Arena& arena) {
  auto* made = arena.make<HeaderList>(arena);
  made->add(HeaderName::grpc_status, grpc::number_of(grpc::Status::unknown));
  made->add("grpc-message", "The backend ended its response without a status.");
  return made;
}

// What the frame at the response's end says; null when its head said it all.
const HeaderList* last_words(PolicyContext& context, const BodyPiece& piece) {
  if (piece.trailers != nullptr) return piece.trailers;
  if (context.response().headers.has(HeaderName::grpc_status)) return nullptr;
  return no_status(context.arena());
}

}  // namespace

const schema::SchemaOf<GrpcWebConfig>& kGrpcWebSchema = kSchema;

Verdict GrpcWeb::on_request(PolicyContext& context) const {
  HeaderList& headers = context.request().headers;
  const grpc::ContentType type = grpc::read_content_type(headers.value(HeaderName::content_type));
  if (!grpc::is_web(type.wire)) return Outcome::pass();
  auto& call = context.state<Call>();
  call.request = type.wire;
  call.wanted = wanted_wire(headers, type.wire);
  call.format = type.format;
  headers.set(HeaderName::content_type,
              grpc::write_content_type({Wire::grpc, type.format}, context.arena()));
  headers.set(HeaderName::te, "trailers");
  headers.remove(HeaderName::accept);
  headers.remove(HeaderName::content_length);
  return Outcome::pass();
}

Verdict GrpcWeb::on_request_body(PolicyContext& context, BodyPiece& piece) const {
  auto& call = context.state<Call>();
  if (call.request == Wire::none) return Outcome::pass();
  if (call.request == Wire::web_text) {
    char* decoded = nullptr;
    const Chunk room = Chunk::allocate(grpc::Base64Decoder::most(piece.chunk.size()), decoded);
    const char* const end = call.decoder.decode(piece.chunk.view(), decoded);
    if (end == nullptr) return refuse(context, piece, "The request's body is not base64.");
    piece.chunk = room.part({decoded, static_cast<std::size_t>(end - decoded)});
  }
  if (!call.upload.scan(piece.chunk.view())) {
    return refuse(context, piece, "The request's body has a frame that is no gRPC message.");
  }
  if (piece.last && !(call.decoder.at_end() && call.upload.between())) {
    return refuse(context, piece, "The request's body ends within a message.");
  }
  return Outcome::pass();
}

Verdict GrpcWeb::on_response(PolicyContext& context) const {
  auto& call = context.state<Call>();
  if (call.request == Wire::none) return Outcome::pass();
  HeaderList& headers = context.response().headers;
  const grpc::ContentType type = grpc::read_content_type(headers.value(HeaderName::content_type));
  if (type.wire == Wire::none) return Outcome::pass();
  if (context.request().headers.has(HeaderName::origin)) grpc::expose_status(headers);
  if (type.wire != Wire::grpc) return Outcome::pass();
  // Servers tend to leave the format out when it is the request's.
  const std::string_view format = type.format.empty() ? call.format : type.format;
  headers.set(HeaderName::content_type,
              grpc::write_content_type({call.wanted, format}, context.arena()));
  headers.remove(HeaderName::trailer);
  if (!context.response_has_body()) return Outcome::pass();
  headers.remove(HeaderName::content_length);
  context.response_length_unknown();
  call.response = call.wanted;
  return Outcome::pass();
}

// The piece as the client wants it, with the frame of `trailers` (may be null) behind it.
void GrpcWeb::write(Call& call, BodyPiece& piece, const HeaderList* trailers) {
  const bool text = call.response == Wire::web_text;
  if (!text && trailers == nullptr) return;
  const std::string_view bytes = piece.chunk.view();
  const std::size_t frame_size = trailers == nullptr ? 0 : grpc::trailer_frame_size(*trailers);
  std::string frame(frame_size, '\0');
  if (trailers != nullptr) grpc::write_trailer_frame(*trailers, frame.data());
  const std::size_t size = bytes.size() + frame_size;
  char* start = nullptr;
  const Chunk room = Chunk::allocate(text ? grpc::Base64Encoder::most(size) : size, start);
  char* to = start;
  if (text) {
    to = call.encoder.encode(bytes, false, to);
    to = call.encoder.encode(frame, piece.last || !piece.more_ready, to);
  } else {
    to = std::ranges::copy(bytes, to).out;
    to = std::ranges::copy(frame, to).out;
  }
  piece.chunk = room.part({start, static_cast<std::size_t>(to - start)});
}

Verdict GrpcWeb::on_response_body(PolicyContext& context, BodyPiece& piece) const {
  auto& call = context.state<Call>();
  if (call.response == Wire::none) return Outcome::pass();
  if (!call.download.scan(piece.chunk.view()) || (piece.last && !call.download.between())) {
    return context.reply(502, "backend_protocol_error", "The backend's response is not gRPC.");
  }
  write(call, piece, piece.last ? last_words(context, piece) : nullptr);
  if (piece.last) piece.trailers = nullptr;
  return Outcome::pass();
}

}  // namespace doorward::policy
