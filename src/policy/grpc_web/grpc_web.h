// policy/grpc_web: lets browsers call gRPC services. A gRPC-Web request goes to the backend as
// gRPC, the response comes back as gRPC-Web: in base64 when the client wants text, its trailers in
// a frame behind the messages.
//
// Subtle: base64 is flushed, with padding, whenever the backend pauses, so that no message waits
// for the next one. The trailers' frame is only written where a message ends; elsewhere a client
// would read it as a part of the message.
#pragma once

#include "policy/policy.h"
#include "schema/value.h"
#include "translate/grpc/base64_stream.h"
#include "translate/grpc/content_type.h"
#include "translate/grpc/frame_scanner.h"

namespace doorward::policy {

struct GrpcWebConfig {};

extern const schema::SchemaOf<GrpcWebConfig>& kGrpcWebSchema;

class GrpcWeb final : public Policy {
 public:
  explicit GrpcWeb(GrpcWebConfig) {}

  BodyNeed request_body_need() const override { return BodyNeed::stream; }
  BodyNeed response_body_need() const override { return BodyNeed::stream; }
  Verdict on_request(PolicyContext& context) const override;
  Verdict on_request_body(PolicyContext& context, BodyPiece& piece) const override;
  Verdict on_response(PolicyContext& context) const override;
  Verdict on_response_body(PolicyContext& context, BodyPiece& piece) const override;

 private:
  // One call: how its client speaks, and how far its bodies have come.
  struct Call {
    translate::grpc::Wire request = translate::grpc::Wire::none;
    translate::grpc::Wire response = translate::grpc::Wire::none;  // none: passes as it is
    translate::grpc::Wire wanted = translate::grpc::Wire::none;
    std::string_view format;  // of the request's messages
    translate::grpc::Base64Decoder decoder;
    translate::grpc::FrameScanner upload;
    translate::grpc::FrameScanner download;
    translate::grpc::Base64Encoder encoder;
  };
  static void write(Call& call, BodyPiece& piece, const http::HeaderList* trailers);
};

}  // namespace doorward::policy
