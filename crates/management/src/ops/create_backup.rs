//! CreateBackup: everything that this service keeps, encrypted to the recipients whom its operator has configured. The body of
//! the answer is the backup itself; what the model gives as the answer is what the trail tells of it.
//!
//! It is of all accounts, so nobody says for whom it is encrypted but the operator: whoever may make one learns nothing by it.

use base::Call;
use wire::keywright::{CreateBackup, CreateBackupRequest, CreateBackupResponse, Operation as _};
use wire::{event, json};

use crate::Management;
use crate::ports::BackupPieces;
use crate::table::Refused;

impl Management {
    /// Whether `name` is that of the operation that [`Self::create_backup`] carries out.
    pub fn is_backup(name: &str) -> bool {
        name == CreateBackup::NAME
    }

    /// Begins a backup, as [`Self::call`] carries the other operations out: that it was asked for, and what came of it, is in
    /// the audit log before this returns.
    ///
    /// # Errors
    /// The caller may not, nobody is configured who could open it, another one is being made, or it cannot be begun.
    pub async fn create_backup(&self, call: &Call, body: &[u8]) -> Result<Box<dyn BackupPieces>, Refused> {
        self.recorded(call, (CreateBackup::NAME, false), async {
            let request = json::decode::<CreateBackupRequest>(body).map_err(Refused::Request)?;
            call.event.set_request_parameters(event::shown(&request));
            let (region, account) = (call.region, call.caller.account);
            let arn = format!("arn:{}:keywright:{region}:{account}:backup", region.partition());
            self.authorize::<CreateBackup>(call, &arn).await.map_err(Refused::Operation)?;
            let begun = self.backups.begin().await.map_err(|error| Refused::Operation(error.into()))?;
            let response = CreateBackupResponse { recipients: begun.recipients };
            call.event.set_response_elements(event::shown(&response));
            Ok(begun.pieces)
        })
        .await
    }
}
