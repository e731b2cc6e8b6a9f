// The small accelerator behind the ports of the Chisel design's IntelShell and VTAShell: a reset that is high, bundles by name.
module SmallBundled (
    input  wire        clock,
    input  wire        reset,
    output wire        io_mem_aw_valid, input wire io_mem_aw_ready,
    output wire [31:0] io_mem_aw_bits_addr, output wire [7:0] io_mem_aw_bits_len, output wire [7:0] io_mem_aw_bits_id,
    output wire        io_mem_w_valid, input wire io_mem_w_ready,
    output wire [63:0] io_mem_w_bits_data, output wire [7:0] io_mem_w_bits_strb, output wire io_mem_w_bits_last,
    input  wire        io_mem_b_valid, output wire io_mem_b_ready,
    input  wire [1:0]  io_mem_b_bits_resp, input wire [7:0] io_mem_b_bits_id,
    output wire        io_mem_ar_valid, input wire io_mem_ar_ready,
    output wire [31:0] io_mem_ar_bits_addr, output wire [7:0] io_mem_ar_bits_len, output wire [7:0] io_mem_ar_bits_id,
    input  wire        io_mem_r_valid, output wire io_mem_r_ready,
    input  wire [63:0] io_mem_r_bits_data, input wire [1:0] io_mem_r_bits_resp,
    input  wire        io_mem_r_bits_last, input wire [7:0] io_mem_r_bits_id,
    input  wire        io_host_aw_valid, output wire io_host_aw_ready, input wire [15:0] io_host_aw_bits_addr,
    input  wire        io_host_w_valid, output wire io_host_w_ready,
    input  wire [31:0] io_host_w_bits_data, input wire [3:0] io_host_w_bits_strb, input wire io_host_w_bits_last,
    output wire        io_host_b_valid, input wire io_host_b_ready,
    input  wire        io_host_ar_valid, output wire io_host_ar_ready, input wire [15:0] io_host_ar_bits_addr,
    output wire        io_host_r_valid, input wire io_host_r_ready, output wire [31:0] io_host_r_bits_data
);
    assign io_mem_aw_bits_id = 8'd5;
    assign io_mem_ar_bits_id = 8'd9;

    SmallShell shell (
        .ap_clk(clock), .ap_rst_n(!reset),
        .m_axi_gmem_AWVALID(io_mem_aw_valid), .m_axi_gmem_AWREADY(io_mem_aw_ready),
        .m_axi_gmem_AWADDR(io_mem_aw_bits_addr), .m_axi_gmem_AWLEN(io_mem_aw_bits_len),
        .m_axi_gmem_WVALID(io_mem_w_valid), .m_axi_gmem_WREADY(io_mem_w_ready), .m_axi_gmem_WDATA(io_mem_w_bits_data),
        .m_axi_gmem_WSTRB(io_mem_w_bits_strb), .m_axi_gmem_WLAST(io_mem_w_bits_last),
        .m_axi_gmem_BVALID(io_mem_b_valid && io_mem_b_bits_id == 8'd5), .m_axi_gmem_BREADY(io_mem_b_ready),
        .m_axi_gmem_ARVALID(io_mem_ar_valid), .m_axi_gmem_ARREADY(io_mem_ar_ready),
        .m_axi_gmem_ARADDR(io_mem_ar_bits_addr), .m_axi_gmem_ARLEN(io_mem_ar_bits_len),
        .m_axi_gmem_RVALID(io_mem_r_valid && io_mem_r_bits_id == 8'd9), .m_axi_gmem_RREADY(io_mem_r_ready),
        .m_axi_gmem_RDATA(io_mem_r_bits_data), .m_axi_gmem_RLAST(io_mem_r_bits_last),
        .s_axi_control_AWVALID(io_host_aw_valid), .s_axi_control_AWREADY(io_host_aw_ready),
        .s_axi_control_AWADDR(io_host_aw_bits_addr),
        .s_axi_control_WVALID(io_host_w_valid), .s_axi_control_WREADY(io_host_w_ready),
        .s_axi_control_WDATA(io_host_w_bits_data), .s_axi_control_WSTRB(io_host_w_bits_strb),
        .s_axi_control_BVALID(io_host_b_valid), .s_axi_control_BREADY(io_host_b_ready),
        .s_axi_control_ARVALID(io_host_ar_valid), .s_axi_control_ARREADY(io_host_ar_ready),
        .s_axi_control_ARADDR(io_host_ar_bits_addr),
        .s_axi_control_RVALID(io_host_r_valid), .s_axi_control_RREADY(io_host_r_ready),
        .s_axi_control_RDATA(io_host_r_bits_data)
    );
endmodule
