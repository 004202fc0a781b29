using System.Net;

namespace DatabricksWarehouse;

/// <summary>The workspace refused a request, gave no answer that can be used, or a statement did not succeed.</summary>
internal sealed class WorkspaceException(string message, HttpStatusCode? status = null, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>The status of the answer; null where none came in time, or where a statement failed in an answer that was good.</summary>
    public HttpStatusCode? Status => status;
}
