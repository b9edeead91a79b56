// SPDX-License-Identifier: Apache-2.0
//! What a parameter is, told from its name.

use super::texts::Role;
use super::tool::Capabilities;

/// What the string under `key` is, for a tool that can do `can`; `parent` is what the object
/// around it is.
pub(super) fn role(key: &str, can: Capabilities, parent: Role) -> Role {
    // What stands inside a body, headers or an environment is that, whatever it is called.
    if matches!(
        parent,
        Role::Body | Role::Header | Role::Environment | Role::Prose | Role::Content
    ) {
        return parent;
    }
    let mut lower = [0_u8; 24];
    let lower = match lower.get_mut(..key.len()) {
        Some(lower) => {
            lower.copy_from_slice(key.as_bytes());
            lower.make_ascii_lowercase();
            &*lower
        }
        None => &[],
    };
    named(lower, can).unwrap_or(match parent {
        Role::Shell | Role::Argv | Role::Url | Role::Path | Role::Code => parent,
        Role::Body
        | Role::Header
        | Role::Environment
        | Role::Stdin
        | Role::Prose
        | Role::Content
        | Role::Option
        | Role::Other => Role::Other,
    })
}

fn named(key: &[u8], can: Capabilities) -> Option<Role> {
    Some(match key {
        b"command" | b"cmd" | b"commands" | b"cmds" | b"shell_command" | b"command_line"
        | b"commandline" | b"bash" | b"shell_cmd" | b"cmdline" => Role::Shell,
        b"script" | b"run" | b"exec" | b"line" | b"keystrokes" | b"snippet" | b"code"
        | b"source_code" | b"program" | b"expression" | b"cell" | b"source" | b"function" => {
            if can.code {
                Role::Code
            } else if can.shell || matches!(key, b"script" | b"run" | b"exec" | b"keystrokes") {
                Role::Shell
            } else if can.write || can.read {
                Role::Content
            } else {
                Role::Code
            }
        }
        b"argv" | b"args" | b"arguments" | b"cmd_args" => Role::Argv,
        b"url" | b"urls" | b"uri" | b"uris" | b"href" | b"endpoint" | b"link" | b"links"
        | b"address" | b"base_url" | b"baseurl" | b"target_url" | b"webhook" | b"webhook_url"
        | b"remote" | b"host" | b"hostname" | b"proxy" | b"site" | b"page" | b"src"
        | b"repository" | b"repo_url" => Role::Url,
        b"path" | b"file" | b"file_path" | b"filepath" | b"filename" | b"paths" | b"files"
        | b"dir" | b"directory" | b"cwd" | b"workdir" | b"working_dir" | b"working_directory"
        | b"output_path" | b"source_path" | b"destination_path" | b"dest" | b"destination"
        | b"notebook_path" | b"root" => Role::Path,
        b"body" | b"data" | b"json" | b"form" | b"payload" | b"params" | b"query_params"
        | b"form_data" | b"formdata" | b"fields" | b"multipart" | b"post_data" | b"postdata"
        | b"attachments" => Role::Body,
        b"headers" | b"header" | b"cookies" | b"cookie" | b"auth" | b"authorization"
        | b"user_agent" => Role::Header,
        b"env" | b"environment" | b"envs" | b"env_vars" | b"environ" => Role::Environment,
        b"stdin" | b"input_text" | b"standard_input" => Role::Stdin,
        b"input" => {
            if can.shell {
                Role::Stdin
            } else {
                Role::Other
            }
        }
        b"content" | b"contents" | b"text" | b"new_string" | b"old_string" | b"new_str"
        | b"old_str" | b"file_text" | b"patch" | b"diff" | b"insert" | b"replacement"
        | b"new_source" | b"insert_text" | b"edits" => Role::Content,
        b"description" | b"message" | b"title" | b"comment" | b"reason" | b"explanation"
        | b"prompt" | b"query" | b"pattern" | b"question" | b"summary" | b"subject" | b"note"
        | b"notes" | b"thought" | b"name" | b"label" | b"regex" | b"search" | b"justification" => {
            Role::Prose
        }
        b"method" | b"timeout" | b"encoding" | b"mode" | b"type" | b"format" | b"shell"
        | b"language" | b"lang" | b"interpreter" | b"id" | b"session_id" => Role::Option,
        _ => return None,
    })
}
