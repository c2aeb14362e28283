//! The operations, one file each.

mod abort_multipart_upload;
mod complete_multipart_upload;
mod copy_object;
mod create_bucket;
mod create_multipart_upload;
mod delete_bucket;
mod delete_bucket_encryption;
mod delete_bucket_policy;
mod delete_object;
mod delete_objects;
mod get_bucket_encryption;
mod get_bucket_location;
mod get_bucket_policy;
mod get_object;
mod head_bucket;
mod head_object;
mod list_buckets;
mod list_multipart_uploads;
mod list_objects;
mod list_objects_v2;
mod list_parts;
mod put_bucket_encryption;
mod put_bucket_policy;
mod put_object;
mod upload_part;
mod upload_part_copy;
