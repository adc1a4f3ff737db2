//! The payments: a service on tonic, in a process of its own.

use std::net::SocketAddr;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, stdin};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use trace_runtime::tower::ServerLayer;
use trace_runtime::traced;

use crate::api::{ChargeReply, ChargeRequest, Payments, PaymentsServer};

/// The process of the payments, which ends when its standard input does.
pub(crate) struct Process(Child);

/// Starts it; returns the URL, too.
pub(crate) async fn spawn(argument: &str) -> crate::Result<(Process, String)> {
    let mut process = Command::new(std::env::current_exe()?)
        .arg(argument)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let stdout = process.stdout.take().ok_or("no standard output")?;
    let mut lines = BufReader::new(stdout).lines();
    // Its log goes where ours goes.
    let url = loop {
        let line = lines.next_line().await?;
        let line = line.ok_or("the payments do not start")?;
        match line.starts_with("http://") {
            true => break line,
            false => println!("{line}"),
        }
    };
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            println!("{line}");
        }
    });
    Ok((Process(process), url))
}

impl Process {
    pub(crate) async fn stop(mut self) -> crate::Result<()> {
        drop(self.0.stdin.take());
        self.0.wait().await?;
        Ok(())
    }
}

/// Serves until standard input ends; prints the URL first.
pub(crate) async fn serve() -> crate::Result<()> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    println!("http://{}", listener.local_addr()?);
    let end = async {
        let _ = stdin().read_to_end(&mut Vec::new()).await;
    };
    Server::builder()
        .layer(ServerLayer::new())
        .add_service(PaymentsServer::new(Bank))
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), end)
        .await?;
    Ok(())
}

struct Bank;

#[tonic::async_trait]
impl Payments for Bank {
    async fn charge(
        &self,
        request: Request<ChargeRequest>,
    ) -> Result<Response<ChargeReply>, Status> {
        let cents = debit(request.get_ref().cents);
        Ok(Response::new(ChargeReply { cents }))
    }
}

#[traced]
fn debit(cents: u64) -> u64 {
    tracing::info!(cents, "charged");
    cents
}
