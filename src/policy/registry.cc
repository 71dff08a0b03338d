// The list of policies. A new one is a folder, and a line here.
#include "policy/registry.h"

#include "policy/client_certificate/client_certificate.h"
#include "policy/compress/compress.h"
#include "policy/external_auth/external_auth.h"
#include "policy/grpc_web/grpc_web.h"
#include "policy/headers/headers.h"
#include "policy/hsts/hsts.h"
#include "policy/https_redirect/https_redirect.h"
#include "policy/ip_filter/ip_filter.h"
#include "policy/mock/mock.h"
#include "policy/request_id/request_id.h"
#include "policy/rewrite/rewrite.h"
#include "policy/size_limit/size_limit.h"
#include "policy/websocket/websocket.h"

namespace doorward::policy {
namespace {

Registry list() {
  Registry r;
  r.add<RequestId>(kRequestIdSchema);
  r.add<HttpsRedirect>(kHttpsRedirectSchema);
  r.add<Hsts>(kHstsSchema);
  r.add<IpFilter>(kIpFilterSchema);
  r.add<ClientCertificate>(kClientCertificateSchema);
  r.add<ExternalAuth>(kExternalAuthSchema);
  r.add<SizeLimit>(kSizeLimitSchema);
  r.add<Websocket>(kWebsocketSchema);
  r.add<Headers>(kHeadersSchema);
  r.add<Rewrite>(kRewriteSchema);
  r.add<Compress>(kCompressSchema);
  r.add<GrpcWeb>(kGrpcWebSchema);
  r.add<Mock>(kMockSchema);
  return r;
}

}  // namespace

const Registry& Registry::builtin() {
  static const Registry all = list();
  return all;
}

}  // namespace doorward::policy
