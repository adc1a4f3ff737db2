//! What no step changes: a port, and an end when somebody asks for it.

use std::io;

use axum::Router;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Serves until ctrl-c or SIGTERM, on the port that the first argument names, or any.
pub(crate) async fn serve(router: Router) -> io::Result<()> {
    let port = std::env::args().nth(1);
    let port = port.map_or(Ok(0), |port| port.parse());
    let port: u16 = port.map_err(io::Error::other)?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, router)
        .with_graceful_shutdown(async move {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        })
        .await
}
