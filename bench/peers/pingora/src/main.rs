// The smallest proxy on Pingora: one upstream, one worker thread, nothing on.
use async_trait::async_trait;
use pingora_core::server::configuration::ServerConf;
use pingora_core::server::Server;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_core::Result;
use pingora_proxy::{http_proxy_service, ProxyHttp, Session};

struct Smallest {
    backend: String,
}

#[async_trait]
impl ProxyHttp for Smallest {
    type CTX = ();
    fn new_ctx(&self) {}

    async fn upstream_peer(&self, _: &mut Session, _: &mut ()) -> Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.backend.as_str(), false, String::new())))
    }
}

fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

fn main() {
    let conf = ServerConf { threads: 1, upstream_keepalive_pool_size: 1024, ..Default::default() };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let backend = format!("127.0.0.1:{}", setting("BENCH_BACKEND"));
    let mut proxy = http_proxy_service(&server.configuration, Smallest { backend });
    proxy.add_tcp(&format!("127.0.0.1:{}", setting("BENCH_PORT")));
    server.add_service(proxy);
    server.run_forever();
}
