//! A service on a port that the system chooses.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use trace_runtime::Tracer;
use trace_runtime::tower::ServerLayer;

pub(crate) struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Every request is a span, named after its route; spans below it are the tracer's, too.
    pub(crate) async fn start(router: Router, tracer: &Tracer) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let router = router.layer(ServerLayer::new().with_tracer(tracer));
        let served = axum::serve(listener, router).with_graceful_shutdown(async {
            // A dropped sender stops it, too.
            let _ = stopped.await;
        });
        Ok(Self {
            address,
            stop,
            served: tokio::spawn(served.into_future()),
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes no new requests and waits for those under way.
    pub(crate) async fn stop(self) -> io::Result<()> {
        let _ = self.stop.send(());
        self.served.await?
    }
}

/// Waits for ctrl-c or SIGTERM: what runs to its end afterwards loses no span.
pub(crate) async fn asked_to_stop() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = terminate.recv() => Ok(()),
    }
}
